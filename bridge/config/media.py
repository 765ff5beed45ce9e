"""The frozen settings of ``media.yml``, which change the mapping tables row by row.

Each field is a key of the file with the same name. The defaults of the tables are in
``translate/channels.py`` and ``translate/media.py``. Rows that violate the gateway's contract are
rejected here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, BeforeValidator, Field

from bridge.config import templates
from bridge.config.values import Name, Section, WholeNumber
from bridge.model import Channel, MediaType

# Media types that only one channel takes (facts: sendmessage, ``mediaType``).
ONLY_ON: Mapping[MediaType, Channel] = {
    MediaType.EMAIL: Channel.EMAIL,
    MediaType.WHATSAPPTEMPLATE: Channel.WHATSAPP,
    MediaType.SMSTEMPLATE: Channel.SMS,
    MediaType.LOCATION: Channel.TELEGRAM,
}
# The values of `mediaFileType`, spelled as in the reference, which lists none for VIDEO.
FILE_TYPES: Mapping[MediaType, tuple[str, ...]] = {
    MediaType.IMAGE: ("jpg", "png", "jpeg"),
    MediaType.EMOTICONS: ("gif",),
    MediaType.AUDIO: ("mp3", "aac", "m4a", "mp4"),
    MediaType.VIDEO: (),
    MediaType.DOCUMENT: ("doc", "docx", "pdf", "zip", "RTF"),
}


class Kind(str, Enum):
    """What a reply holds, whatever dialect said it: the rows of the media table."""

    TEXT = "text"  # words
    MARKUP = "markup"  # words with markdown or HTML that web widgets render
    BUTTONS = "buttons"  # choices that answer, with the words above them
    LINKS = "links"  # choices of which some open an address or call a number
    LINK = "link"  # an address with a title
    IMAGE = "image"  # a picture
    ANIMATION = "animation"  # an animated gif
    AUDIO = "audio"  # something to hear
    VIDEO = "video"  # something to watch
    DOCUMENT = "document"  # a file to read
    LOCATION = "location"  # coordinates
    CONTACT = "contact"  # a name and a phone number
    CARD = "card"  # title, words, picture, buttons
    CAROUSEL = "carousel"  # several cards
    WEB_CARD = "web_card"  # the preview of a page: title, description, picture, address
    WHATSAPP_TEMPLATE = "whatsapp_template"  # approved by WhatsApp beforehand, by its name
    SMS_TEMPLATE = "sms_template"  # registered with the operator beforehand, by its name
    EMAIL = "email"  # words with a subject
    COBROWSE = "cobrowse"  # the address of a co-browsing session
    EVENT = "event"  # meant for a page and not for a customer


def _template(source: str) -> str:
    templates.parse(source)
    return source


def _template_of(media_type: str) -> str:
    if media_type not in _WITH_TEMPLATE:
        msg = f"one of {', '.join(sorted(_WITH_TEMPLATE))}"
        raise ValueError(msg)
    return media_type


_WITH_TEMPLATE = frozenset(
    {each.value for each in set(MediaType) - set(FILE_TYPES) - {MediaType.TEXT}} | {"BUTTON"}
)

TemplateText = Annotated[str, Field(max_length=2000), AfterValidator(_template)]
TemplateName = Annotated[str, AfterValidator(_template_of)]


class ChannelChange(Section):
    """A row of the gateway's channels; what is not written stays as shipped."""

    takes: frozenset[MediaType] | None = Field(
        default=None, description="the media types that arrive there; replaces the shipped list"
    )
    markup: Literal["plain", "html"] | None = Field(
        default=None, description="html: text is escaped, and a line break becomes <br>"
    )
    buttons: bool | None = Field(
        default=None, description="whether a text with buttons becomes a CARD; else numbered text"
    )
    max_chars: Annotated[WholeNumber, Field(ge=50)] | None = Field(
        default=None, description="the longest text of one message, in characters"
    )
    max_segments: Annotated[WholeNumber, Field(ge=1, le=255)] | None = Field(
        default=None, description="SMS: the most segments of one concatenated message"
    )


def _short_row(value: object) -> object:
    """Expand the short form ``viber: WEB`` to ``viber: {channel: WEB}``."""
    if not isinstance(value, str):
        return value
    if value not in {each.value for each in Channel}:
        msg = f"a channel of the gateway: {', '.join(each.value for each in Channel)}"
        raise ValueError(msg)
    return {"channel": value}


class RasaChannelRow(Section):
    """A row of Rasa's channels, by the name that the connector registers."""

    channel: Channel = Field(description="the gateway's channel that its customers are on")
    output: Name | None = Field(
        default=None, description="the name in `channel:` of responses, where it is another"
    )
    push: bool = Field(default=True, description="whether Rasa can speak there without a request")


class MediaRow(Section):
    """A row of the media table."""

    becomes: tuple[MediaType, ...] = Field(
        description="media types, the best first; [] skips it. TEXT is the channel's own text"
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield a fault if a media type occurs twice in the fallback chain."""
        becomes = written.get("becomes")
        if isinstance(becomes, list | tuple):
            names = [str(getattr(each, "value", each)) for each in becomes]
            if len(set(names)) < len(names):
                yield ("becomes",), "each media type once"


class FileRow(Section):
    """A row of the look-up from the bot's addresses to what the gateway knows."""

    url: Name | None = Field(default=None, description="this address exactly")
    prefix: Name | None = Field(default=None, description="all that begins so")
    pattern: Name | None = Field(default=None, description="a regular expression of the whole")
    id: Name | None = Field(default=None, description="a file of the multimedia library")
    key: Name | None = Field(default=None, description="an object-storage key (contentType 1)")
    media_type: MediaType | None = Field(default=None, description="where the address does not say")
    file_type: Name | None = Field(default=None, description="where the address does not say")

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield faults unless there is one way to match, one result, and a valid pattern."""
        if sum(written.get(key) is not None for key in ("url", "prefix", "pattern")) != 1:
            yield (), "name one of url, prefix and pattern"
        if sum(written.get(key) is not None for key in ("id", "key")) != 1:
            yield (), "name either id (multimedia library) or key (object storage)"
        pattern = written.get("pattern")
        if isinstance(pattern, str) and (wrong := _pattern_fault(pattern)):
            yield ("pattern",), wrong
        yield from _type_faults(written)


def _type_faults(written: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield faults for a media type that is not of files, or a file type that it does not list."""
    media_type, file_type = written.get("media_type"), written.get("file_type")
    listed = {each.value: types for each, types in FILE_TYPES.items()}
    if media_type is not None:
        media_type = str(getattr(media_type, "value", media_type))
        if media_type not in listed:
            yield ("media_type",), f"files are of {', '.join(listed)}"
            return
        listed = {media_type: listed[media_type]}
    allowed = [each for types in listed.values() for each in types]
    if file_type is not None and file_type not in allowed:
        yield (
            ("file_type",),
            f"file types are {', '.join(allowed)}" if allowed else "VIDEO lists no file types",
        )


def _pattern_fault(pattern: str) -> str:
    try:
        regex.compile(pattern)
    except regex.error as error:
        return f"not a regular expression: {error}"
    return ""


Scalar = str | int | float | bool


def _some_path(value: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    if not value:
        msg = "at least one path and its value: {payload: chart}"
        raise ValueError(msg)
    return value


Match = Annotated[Mapping[Name, Scalar], AfterValidator(_some_path)]
PartField = Literal[
    "text",
    "title",
    "description",
    "url",
    "image",
    "latitude",
    "longitude",
    "address",
    "phone",
    "name",
    "language",
    "subject",
    "buttons",
    "cards",
    "parameters",
]


class ShapeRow(Section):
    """A payload of a bot's own, which no shipped shape reads."""

    match: Match = Field(description='paths and their values: {data.kind: chart}; "*" is any')
    as_: Kind = Field(alias="as", description="what it is")
    fields: Mapping[PartField, Name] = Field(
        default_factory=dict, description="where in the payload each field stands: {url: data.src}"
    )


def _base(value: str) -> str:
    if not regex.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
        msg = "the address of a folder, as in https://bot.example/files/"
        raise ValueError(msg)
    return value


class MediaSettings(Section):
    """``media.yml``; without it, the tables are as shipped."""

    on_unknown_file: Literal["link", "url", "refuse"] = Field(
        default="link",
        description="a file without an ID: its address as text, as the content, or not at all",
    )
    files: tuple[FileRow, ...] = Field(default=(), description="addresses to library IDs or keys")
    base_url: Annotated[str, AfterValidator(_base)] | None = Field(
        default=None, description="what relative addresses of the bot are relative to"
    )
    channels: Mapping[Channel, ChannelChange] = Field(
        default_factory=dict, description="rows of the gateway's channels"
    )
    rasa_channels: Mapping[Name, Annotated[RasaChannelRow, BeforeValidator(_short_row)]] = Field(
        default_factory=dict, description="rows of Rasa's channels; one for each connector"
    )
    media: Mapping[Kind, MediaRow] = Field(
        default_factory=dict, description="rows of the media table"
    )
    templates: Mapping[TemplateName, TemplateText] = Field(
        default_factory=dict, description="contents that are JSON, by media type, or BUTTON"
    )
    shapes: tuple[ShapeRow, ...] = Field(default=(), description="payloads of the bot's own")
    private_markup: Literal["plain", "html"] = Field(
        default="plain", description="how text is written in a private deployment"
    )
    email_subject: Name | None = Field(
        default=None, description="of e-mails whose reply names none; null: no subject is sent"
    )
    part_numbers: bool = Field(default=False, description="(1/3) at the end of each part")
    max_messages: WholeNumber = Field(
        default=50, ge=1, le=1000, description="the most messages that one reply becomes"
    )
    max_items: WholeNumber = Field(
        default=100, ge=1, le=200, description="the most buttons or cards of one reply"
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield faults for rows of channels that violate the gateway's contract."""
        channels = written.get("channels")
        for name, row in channels.items() if isinstance(channels, Mapping) else ():
            channel = str(getattr(name, "value", name))
            takes = row.get("takes") if isinstance(row, Mapping) else getattr(row, "takes", None)
            if isinstance(takes, list | tuple | set | frozenset):
                for sentence in _forbidden(channel, takes):
                    yield ("channels", channel, "takes"), sentence


def _forbidden(channel: str, takes: Any) -> Iterator[str]:
    names = {str(getattr(each, "value", each)) for each in takes}
    for media_type, only in ONLY_ON.items():
        if media_type.value in names and channel != only.value:
            yield f"{media_type.value} goes to {only.value} alone"
    text = MediaType.EMAIL if channel == Channel.EMAIL.value else MediaType.TEXT
    if text.value not in names:
        yield f"{text.value} must be in the list: all else falls back to it"
    if text is MediaType.EMAIL and MediaType.TEXT.value in names:
        yield "text travels as EMAIL there: take TEXT out of the list"
    if channel == Channel.TELEGRAM.value and MediaType.LOCATE.value in names:
        yield "a location is LOCATION there: take LOCATE out of the list"
