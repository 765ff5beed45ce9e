"""The media table: the fallback chain of each kind of part, and the templates of contents.

There is one row per kind, and one template per content whose format the reference leaves to the
enterprise; ``media.yml`` changes both, row by row. ``reading/`` parses the dialects of bots,
``channels.py`` lists the media types each channel takes, and ``fallback.py`` applies a row.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.config.media import Kind, MediaSettings
from bridge.config.templates import Template, parse
from bridge.model import MediaType as To

# In order of preference; a media type that the channel does not take, or that cannot be built, is
# passed over for the next. TEXT is the channel's own text type: EMAIL on EMAIL, where RICHTEXT is
# an e-mail in HTML.
FALLBACKS: Mapping[Kind, tuple[To, ...]] = {
    Kind.TEXT: (To.TEXT,),
    Kind.MARKUP: (To.RICHTEXT, To.TEXT),
    Kind.BUTTONS: (To.CARD, To.TEXT),
    Kind.LINKS: (To.CARD, To.RICHTEXT, To.TEXT),
    Kind.LINK: (To.RICHTEXT, To.TEXT),
    Kind.IMAGE: (To.IMAGE, To.TEXT),
    Kind.ANIMATION: (To.EMOTICONS, To.TEXT),
    Kind.AUDIO: (To.AUDIO, To.TEXT),
    Kind.VIDEO: (To.VIDEO, To.TEXT),
    Kind.DOCUMENT: (To.DOCUMENT, To.TEXT),
    Kind.LOCATION: (To.LOCATION, To.LOCATE, To.TEXT),
    Kind.CONTACT: (To.TEXT,),
    Kind.CARD: (To.CARD, To.WEBCARD, To.RICHTEXT, To.TEXT),
    Kind.CAROUSEL: (To.MULTICARD, To.CARD, To.RICHTEXT, To.TEXT),
    Kind.WEB_CARD: (To.WEBCARD, To.CARD, To.RICHTEXT, To.TEXT),
    Kind.WHATSAPP_TEMPLATE: (To.WHATSAPPTEMPLATE, To.TEXT),
    Kind.SMS_TEMPLATE: (To.SMSTEMPLATE, To.TEXT),
    Kind.EMAIL: (To.EMAIL, To.RICHTEXT, To.TEXT),
    Kind.COBROWSE: (To.COBROWSESITE, To.RICHTEXT, To.TEXT),
    Kind.EVENT: (),  # skipped and counted
}

BUTTON = "BUTTON"  # the template of one item of {{buttons}}

# Only WEBCARD's format is published (for the user's side). The others are defined by this project.
TEMPLATES: Mapping[str, str] = {
    BUTTON: '{"title": {{title}}, "type": {{type}}, "value": {{value}}}',
    To.CARD.value: (
        '{"title": {{title}}, "description": {{description}}, "mediaFileId": {{file_id}}, '
        '"mediaFileType": {{file_type}}, "imageUrl": {{image_url}}, "redirectUrl": {{url}}, '
        '"buttons": {{buttons}}}'
    ),
    To.MULTICARD.value: '{"cards": {{cards}}}',
    To.WEBCARD.value: (
        '{"title": {{title}}, "description": {{description}}, "mediaFileId": {{file_id}}, '
        '"mediaFileType": {{file_type}}, "redirectUrl": {{url}}}'
    ),
    To.LOCATE.value: (
        '{"latitude": {{latitude}}, "longitude": {{longitude}}, "title": {{title}}, '
        '"address": {{address}}}'
    ),
    To.LOCATION.value: (
        '{"latitude": {{latitude}}, "longitude": {{longitude}}, "title": {{title}}, '
        '"address": {{address}}}'
    ),
    To.COBROWSESITE.value: '{"title": {{title}}, "url": {{url}}}',
    To.WHATSAPPTEMPLATE.value: (
        '{"name": {{name}}, "language": {{language}}, "components": {{components}}}'
    ),
    To.SMSTEMPLATE.value: '{"templateId": {{name}}, "parameters": {{parameters}}}',
    To.EMAIL.value: '{"subject": {{subject}}, "content": {{content}}}',  # if there is a subject
}


def fallbacks(media: MediaSettings) -> dict[Kind, tuple[To, ...]]:
    """Return the fallback chain of each kind with the rows of ``media.yml`` applied."""
    return {**FALLBACKS, **{kind: row.becomes for kind, row in media.media.items()}}


def templates(media: MediaSettings) -> dict[str, Template]:
    """Parse the templates, with those of ``media.yml`` replacing the defaults."""
    return {name: parse(source) for name, source in {**TEMPLATES, **media.templates}.items()}
