"""The bridge's own texts for customers, by language.

They are said where the designer has written none: the response is missing from the domain, or
none of its variations fits. ``texts`` in ``handoff.yml`` replaces them and adds languages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from bridge.config.settings import HandoffSettings
from bridge.config.values import code_of
from bridge.language import codes
from bridge.replies.rendering import fill_text

_LAST = "en"  # every built-in text has it


class OwnText(str, Enum):
    """A text of the bridge's own; the value is its key under ``texts`` in ``handoff.yml``."""

    STARTED = "started"
    UNAVAILABLE = "unavailable"
    CLOSED = "closed"
    SUMMARY = "summary"


BUILT_IN: Mapping[OwnText, Mapping[str, str]] = {
    OwnText.STARTED: {
        "en": "You are now connected to a member of our team.",
        "zh": "现在由人工客服为您服务。",
        "de": "Sie sind jetzt mit unserem Team verbunden.",
        "fr": "Vous êtes maintenant en relation avec un membre de notre équipe.",
        "es": "Ahora le atiende una persona de nuestro equipo.",
    },
    OwnText.UNAVAILABLE: {
        "en": "Sorry, nobody can take over just now. Please go on here, or try again later.",
        "zh": "抱歉，目前没有人工客服可以接待您。请继续在这里咨询，或稍后再试。",
        "de": "Leider kann gerade niemand übernehmen. Bitte schreiben Sie hier weiter, oder"
        " versuchen Sie es später noch einmal.",
        "fr": "Désolé, personne ne peut prendre le relais pour le moment. Continuez ici, ou"
        " réessayez plus tard.",
        "es": "Lo sentimos, en este momento nadie puede atenderle. Continúe aquí o inténtelo de"
        " nuevo más tarde.",
    },
    OwnText.CLOSED: {
        "en": "Sorry, our team is not available at this time. Please go on here, or write again"
        " during our opening hours.",
        "zh": "抱歉，现在不在人工客服的服务时间内。请继续在这里咨询，或在服务时间内再联系我们。",
        "de": "Leider ist unser Team zu dieser Zeit nicht erreichbar. Bitte schreiben Sie hier"
        " weiter, oder melden Sie sich während unserer Servicezeiten wieder.",
        "fr": "Désolé, notre équipe n'est pas disponible à cette heure. Continuez ici, ou"
        " écrivez-nous pendant nos heures d'ouverture.",
        "es": "Lo sentimos, nuestro equipo no está disponible a esta hora. Continúe aquí o"
        " escríbanos de nuevo en nuestro horario de atención.",
    },
    OwnText.SUMMARY: {
        "en": "Time with our team: {minutes} min. Messages: {messages}.",
        "zh": "人工客服时长：{minutes} 分钟，消息：{messages} 条。",
        "de": "Zeit mit unserem Team: {minutes} Min. Nachrichten: {messages}.",
        "fr": "Temps avec notre équipe : {minutes} min. Messages : {messages}.",
        "es": "Tiempo con nuestro equipo: {minutes} min. Mensajes: {messages}.",
    },
}


def own_text(
    text: OwnText,
    designer: HandoffSettings,
    language: str | None,
    values: Mapping[str, Any],
    *,
    quote: Callable[[str], str] = str,
) -> str:
    """Return a text of the bridge's own in the customer's language, filled with ``values``.

    ``de-at`` falls back to ``de``, then to ``language.default``, then to English. For ``quote``
    see ``render``.
    """
    written: Mapping[str, str] = getattr(designer.texts, text.value)
    configured = {code_of(name): template for name, template in written.items()}
    for code in (*codes(language, designer.language.default), _LAST):
        template = configured.get(code) or BUILT_IN[text].get(code)
        if template is not None:
            return fill_text(template, values, quote)
    raise AssertionError(text)  # unreachable: ``_LAST`` is in every row
