"""The table of kinds: everything that the translation knows of a kind of message is in its row.

A row states the fallback chain, the text form, the HTML form, and the media types that are native
to the kind: the renderer of each, its template, and the channels that take it. ``media.yml``
changes chains, templates and channels. The reference does not say which media types a channel
takes, so each list of channels is a default: it contains the channels that can display the content
by themselves, and none where only some accounts can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bridge.config.media import Kind, MediaSettings
from bridge.config.templates import Template, parse
from bridge.model import Channel
from bridge.model import MediaType as To
from bridge.translate import as_html, as_text
from bridge.translate import renderers as render
from bridge.translate.rows import BUTTON, KindRow, Native

_ALL = frozenset(Channel)
_WEB = frozenset({Channel.WEB})
_SHARING = _ALL - {Channel.TWITTER, Channel.SMS}  # channels that take recordings
_SHOWING = _ALL - {Channel.VOICE, Channel.SMS}  # channels that take pictures and films
_CARDS = frozenset({Channel.FACEBOOK, Channel.FIVE_G, Channel.LINE})

_LOCATION = (
    '{"latitude": {{latitude}}, "longitude": {{longitude}}, "title": {{title}}, '
    '"address": {{address}}}'
)

# In `becomes`, the best media type comes first; one that the channel does not take, or that cannot
# be built, is passed over for the next. TEXT is the channel's own text type: EMAIL on EMAIL, where
# RICHTEXT is an e-mail in HTML. Only WEBCARD's format is published (for the user's side); the other
# templates are defined by this project. WEB takes no CARD, MULTICARD or LOCATE by default, because
# they have no published format: add them once the web chat reads the templates.
KINDS: Mapping[Kind, KindRow] = {
    Kind.TEXT: KindRow(
        becomes=(To.TEXT,),
        text=as_text.text,
        html=as_html.text,
        with_markup=Kind.MARKUP,
        native=(Native(To.TEXT, render.text, _ALL - {Channel.EMAIL}),),
    ),
    Kind.MARKUP: KindRow(
        becomes=(To.RICHTEXT, To.TEXT),
        text=as_text.text,
        html=as_html.text,
        native=(Native(To.RICHTEXT, render.rich_text, _WEB),),
    ),
    Kind.BUTTONS: KindRow(
        becomes=(To.CARD, To.TEXT),
        text=as_text.choices,
        html=as_html.choices,
        cards=render.choices_as_cards,
        with_markup=Kind.LINKS,
    ),
    Kind.LINKS: KindRow(
        becomes=(To.CARD, To.RICHTEXT, To.TEXT),
        text=as_text.choices,
        html=as_html.choices,
        cards=render.choices_as_cards,
    ),
    Kind.LINK: KindRow(becomes=(To.RICHTEXT, To.TEXT), text=as_text.link, html=as_html.link),
    Kind.IMAGE: KindRow(
        becomes=(To.IMAGE, To.RICHTEXT, To.TEXT),
        text=as_text.file,
        html=as_html.file,
        native=(Native(To.IMAGE, render.file(To.IMAGE), _SHOWING),),
    ),
    Kind.ANIMATION: KindRow(
        becomes=(To.EMOTICONS, To.RICHTEXT, To.TEXT),
        text=as_text.file,
        html=as_html.file,
        native=(
            Native(
                To.EMOTICONS,
                render.file(To.EMOTICONS),
                _SHOWING - {Channel.WECHAT, Channel.LINE, Channel.WHATSAPP},
            ),
        ),
    ),
    Kind.AUDIO: KindRow(
        becomes=(To.AUDIO, To.RICHTEXT, To.TEXT),
        text=as_text.file,
        html=as_html.file,
        native=(Native(To.AUDIO, render.file(To.AUDIO), _SHARING),),
    ),
    Kind.VIDEO: KindRow(
        becomes=(To.VIDEO, To.RICHTEXT, To.TEXT),
        text=as_text.file,
        html=as_html.file,
        native=(Native(To.VIDEO, render.file(To.VIDEO), _SHOWING),),
    ),
    Kind.DOCUMENT: KindRow(
        becomes=(To.DOCUMENT, To.RICHTEXT, To.TEXT),
        text=as_text.file,
        html=as_html.file,
        native=(
            Native(
                To.DOCUMENT,
                render.file(To.DOCUMENT),
                _SHARING - {Channel.WECHAT, Channel.VOICE, Channel.LINE, Channel.INSTAGRAM},
            ),
        ),
    ),
    Kind.LOCATION: KindRow(
        becomes=(To.LOCATION, To.LOCATE, To.TEXT),
        text=as_text.location,
        native=(
            Native(
                To.LOCATION,
                render.location(To.LOCATION),
                frozenset({Channel.TELEGRAM}),
                {To.LOCATION.value: _LOCATION},
            ),
            Native(
                To.LOCATE,
                render.location(To.LOCATE),
                frozenset({Channel.FIVE_G, Channel.LINE, Channel.WHATSAPP}),
                {To.LOCATE.value: _LOCATION},
            ),
        ),
    ),
    Kind.CONTACT: KindRow(becomes=(To.TEXT,), text=as_text.contact),
    Kind.CARD: KindRow(
        becomes=(To.CARD, To.WEBCARD, To.RICHTEXT, To.TEXT),
        text=as_text.cards,
        html=as_html.cards,
        cards=render.own_cards,
        native=(
            Native(
                To.CARD,
                render.card,
                _CARDS,
                {
                    BUTTON: '{"title": {{title}}, "type": {{type}}, "value": {{value}}}',
                    To.CARD.value: (
                        '{"title": {{title}}, "description": {{description}}, '
                        '"mediaFileId": {{file_id}}, "mediaFileType": {{file_type}}, '
                        '"imageUrl": {{image_url}}, "redirectUrl": {{url}}, '
                        '"buttons": {{buttons}}}'
                    ),
                },
            ),
        ),
    ),
    Kind.CAROUSEL: KindRow(
        becomes=(To.MULTICARD, To.CARD, To.RICHTEXT, To.TEXT),
        text=as_text.cards,
        html=as_html.cards,
        cards=render.own_cards,
        native=(
            Native(
                To.MULTICARD,
                render.carousel,
                _CARDS,
                {To.MULTICARD.value: '{"cards": {{cards}}}'},
            ),
        ),
    ),
    Kind.WEB_CARD: KindRow(
        becomes=(To.WEBCARD, To.CARD, To.RICHTEXT, To.TEXT),
        text=as_text.link,
        html=as_html.link,
        cards=render.page_as_card,
        native=(
            Native(
                To.WEBCARD,
                render.web_card,
                _WEB,
                {
                    To.WEBCARD.value: (
                        '{"title": {{title}}, "description": {{description}}, '
                        '"mediaFileId": {{file_id}}, "mediaFileType": {{file_type}}, '
                        '"redirectUrl": {{url}}}'
                    )
                },
            ),
        ),
    ),
    Kind.WHATSAPP_TEMPLATE: KindRow(
        becomes=(To.WHATSAPPTEMPLATE, To.TEXT),
        text=as_text.template,
        native=(
            Native(
                To.WHATSAPPTEMPLATE,
                render.template(To.WHATSAPPTEMPLATE, Kind.WHATSAPP_TEMPLATE),
                frozenset({Channel.WHATSAPP}),
                {
                    To.WHATSAPPTEMPLATE.value: (
                        '{"name": {{name}}, "language": {{language}}, "components": {{components}}}'
                    )
                },
            ),
        ),
    ),
    Kind.SMS_TEMPLATE: KindRow(
        becomes=(To.SMSTEMPLATE, To.TEXT),
        text=as_text.template,
        native=(
            Native(
                To.SMSTEMPLATE,
                render.template(To.SMSTEMPLATE, Kind.SMS_TEMPLATE),
                frozenset({Channel.SMS}),
                {To.SMSTEMPLATE.value: '{"templateId": {{name}}, "parameters": {{parameters}}}'},
            ),
        ),
    ),
    Kind.EMAIL: KindRow(
        becomes=(To.EMAIL, To.RICHTEXT, To.TEXT),
        text=as_text.email,
        html=as_html.email,
        native=(
            Native(
                To.EMAIL,
                render.email,
                frozenset({Channel.EMAIL}),
                # Used if there is a subject.
                {To.EMAIL.value: '{"subject": {{subject}}, "content": {{content}}}'},
            ),
        ),
    ),
    Kind.COBROWSE: KindRow(
        becomes=(To.COBROWSESITE, To.RICHTEXT, To.TEXT),
        text=as_text.link,
        html=as_html.link,
        native=(
            Native(
                To.COBROWSESITE,
                render.cobrowse,
                _WEB,
                {To.COBROWSESITE.value: '{"title": {{title}}, "url": {{url}}}'},
            ),
        ),
    ),
    Kind.EVENT: KindRow(
        becomes=(),
        text=as_text.text,
        skipped="an event for a page and not for the customer: skipped",
    ),
}


def _natives() -> Iterator[Native]:
    for row in KINDS.values():
        yield from row.native


NATIVE: Mapping[To, Native] = {native.media_type: native for native in _natives()}
TEMPLATES: Mapping[str, str] = {
    name: source for native in _natives() for name, source in native.templates.items()
}


def rows(media: MediaSettings) -> dict[Kind, KindRow]:
    """Return the table with the chains of ``media.yml`` applied."""
    changed = {kind: replace(KINDS[kind], becomes=row.becomes) for kind, row in media.media.items()}
    return {**KINDS, **changed}


def templates(media: MediaSettings) -> dict[str, Template]:
    """Parse the templates, with those of ``media.yml`` replacing the defaults."""
    return {name: parse(source) for name, source in {**TEMPLATES, **media.templates}.items()}


def taken_by(channel: Channel) -> frozenset[To]:
    """Return the media types that a channel takes by default."""
    return frozenset(native.media_type for native in _natives() if channel in native.on)
