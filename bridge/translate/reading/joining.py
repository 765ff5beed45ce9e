"""Join what belongs together in one reply, and drop what a customer must not see or sees twice.

A question and the choices below it become one part. The same words, or the same file, are sent
once. Buttons that have nothing to show, and addresses of the bot's own machines, are left out.
Each omission is noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from bridge.config.media import Kind
from bridge.translate.addresses import is_machines, is_relative
from bridge.translate.markup import plain
from bridge.translate.parts import Button, Form, Part, RichCard, choices
from bridge.translate.text import is_blank

AddNote = Callable[[str, str], None]

_CHOICES = (Kind.BUTTONS, Kind.LINKS)
_WHOLE = (Kind.LOCATION, Kind.CONTACT, Kind.WHATSAPP_TEMPLATE, Kind.SMS_TEMPLATE, Kind.EVENT)
_COMPARED = 5_000  # characters; the markup of a longer text is not removed before it is compared


def join(
    parts: Iterable[Part], note: AddNote, is_known: Callable[[str], bool], *, has_base: bool
) -> Iterator[Part]:
    """Yield the parts of a reply as they are to be sent.

    Args:
        parts: the parts as they were read, in order.
        note: adds a note by its code and sentence.
        is_known: whether the gateway knows the file with an address.
        has_base: whether relative addresses can be resolved.
    """
    sight = _Sight(note, is_known, has_base=has_base)
    seen: set[object] = set()
    pending: Part | None = None  # a text that may be the question above the next part's choices
    for each in filter(None, map(sight.shown, parts)):
        part = each
        if pending is not None and part.kind in _CHOICES and _is_question(pending, part):
            part = replace(part, text=pending.text, form=pending.form)
            pending = None
        if pending is not None:
            yield pending
            pending = None
        if part.kind is not Kind.EVENT and not {*_said(part)} - seen:
            note("said_twice", "the reply says the same twice: the second was left out")
            continue
        seen.update(_said(part))
        if part.kind is Kind.TEXT:
            pending = part
        else:
            yield part
    if pending is not None:
        yield pending


def _is_question(text: Part, offered: Part) -> bool:
    return is_blank(offered.text) or _words(offered) == _words(text)


def _said(part: Part) -> tuple[object, ...]:
    """Return what is compared: the words of a text or of a question, and any other part whole."""
    if part.kind is Kind.TEXT:
        return (_words(part),)
    if part.kind in _CHOICES and not is_blank(part.text):
        return (_words(part), part.buttons)
    return (part.buttons,) if part.kind in _CHOICES else (_whole(part),)


def _words_left(part: Part) -> Part | None:
    """Return what a part without buttons, cards and address still says, or None."""
    if part.image:
        return Part(Kind.CARD, cards=(RichCard(part.title, part.description, part.image),))
    if not is_blank(part.text):
        return Part(Kind.TEXT, part.text, part.form)
    words = "\n".join(filter(None, (part.title, part.description)))
    return Part(Kind.TEXT, words, Form.PLAIN) if words else None


def _whole(part: Part) -> object:
    return part if part.components is None else repr(part)  # components are JSON: not hashable


def _words(part: Part) -> str:
    text = part.text
    if part.form is not Form.PLAIN and len(text) <= _COMPARED:
        text = plain(text, part.form)
    return " ".join(text.split())


class _Sight:
    """Removes from a part what is not for a customer's eyes."""

    def __init__(self, note: AddNote, is_known: Callable[[str], bool], *, has_base: bool) -> None:
        self._note = note
        self._is_known = is_known
        self._has_base = has_base

    def shown(self, part: Part) -> Part | None:
        """Return the part without what cannot be shown, or None if nothing is left."""
        buttons = self._buttons(part.buttons)
        cards = tuple(filter(None, map(self._card, part.cards)))
        url, image = self._address(part.url), self._address(part.image)
        if (buttons, cards, url, image) == (part.buttons, part.cards, part.url, part.image):
            return part
        if part.kind in _CHOICES and buttons:
            return choices(part.text, buttons, part.form)
        if cards or buttons or url or part.kind in _WHOLE:
            return replace(part, buttons=buttons, cards=cards, url=url, image=image)
        return _words_left(replace(part, image=image))

    def _card(self, card: RichCard) -> RichCard | None:
        shown = replace(
            card,
            image=self._address(card.image),
            url=self._address(card.url),
            buttons=self._buttons(card.buttons),
        )
        return None if shown == RichCard() else shown

    def _buttons(self, buttons: tuple[Button, ...]) -> tuple[Button, ...]:
        return tuple(filter(None, map(self._button, buttons)))

    def _button(self, button: Button) -> Button | None:
        url = self._address(button.url)
        if url != button.url and button.payload in ("", button.url):
            return None
        if not (button.title or url or button.phone):
            self._note("button_without_title", "a button without a title was left out")
            return None
        return replace(button, url=url) if url != button.url else button

    def _address(self, address: str) -> str:
        if not address:
            return ""
        if is_machines(address) and not self._is_known(address):
            self._note("machine_address", "an address of the bot's own machines was left out")
            return ""
        if not self._has_base and is_relative(address) and not self._is_known(address):
            self._note("relative_address", "a relative address cannot be opened: set base_url")
        return address
