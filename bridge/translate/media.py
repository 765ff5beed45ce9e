"""The table of media: what each thing that a reply holds becomes, and what its content is.

One row for each kind, one template for each content that the reference leaves to the enterprise;
``media.yml`` changes both, row by row. How a bot's dialects hide these things is in
``reading/``; which channel takes what is in ``channels.py``; how a row is carried out is in
``fallback.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.config.media import Kind, MediaSettings
from bridge.config.templates import Template, parse
from bridge.model import MediaType as To

# The best first; one that the channel does not take, or that cannot be built, is left for the
# next. TEXT is the channel's own text: EMAIL on EMAIL. RICHTEXT there is an e-mail in HTML.
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

# Only WEBCARD's format is published (for the user's side). The rest are ours.
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
    To.EMAIL.value: '{"subject": {{subject}}, "content": {{content}}}',  # where there is a subject
}


def fallbacks(media: MediaSettings) -> dict[Kind, tuple[To, ...]]:
    """The renderers of each kind as ``media.yml`` leaves them."""
    return {**FALLBACKS, **{kind: row.becomes for kind, row in media.media.items()}}


def templates(media: MediaSettings) -> dict[str, Template]:
    """The templates as ``media.yml`` leaves them, read."""
    return {name: parse(source) for name, source in {**TEMPLATES, **media.templates}.items()}
