"""The frozen settings of ``media.yml``, which change the mapping tables row by row.

Each field is a key of the file with the same name. The defaults of the tables are in
``translate/kinds.py`` and ``translate/channels.py``. Rows that violate the gateway's contract are
rejected here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, BeforeValidator, Field

from bridge.config import templates
from bridge.config.faults import printable, suggest
from bridge.config.values import Conflict, Name, Section, WholeNumber
from bridge.model import Channel, MediaType

# Media types that only one channel takes (API reference: sendmessage, ``mediaType``).
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
    """The kinds of content in a reply, independent of its format: the rows of the media table."""

    TEXT = "text"  # plain text
    MARKUP = "markup"  # text with markdown or HTML that web widgets render
    BUTTONS = "buttons"  # quick replies, with the text above them
    LINKS = "links"  # buttons, some of which open an address or call a number
    LINK = "link"  # an address with a title
    IMAGE = "image"  # a picture
    ANIMATION = "animation"  # an animated gif
    AUDIO = "audio"  # an audio file
    VIDEO = "video"  # a video file
    DOCUMENT = "document"  # a document file
    LOCATION = "location"  # coordinates
    CONTACT = "contact"  # a name and a phone number
    CARD = "card"  # a title with text, a picture and buttons
    CAROUSEL = "carousel"  # several cards
    WEB_CARD = "web_card"  # the preview of a page: title, description, picture, address
    WHATSAPP_TEMPLATE = "whatsapp_template"  # a template approved by WhatsApp, by name
    SMS_TEMPLATE = "sms_template"  # a template registered with the operator, by name
    EMAIL = "email"  # text with a subject
    COBROWSE = "cobrowse"  # the address of a co-browsing session
    EVENT = "event"  # data for the web page, not shown to the customer


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
    """Changes to one of the gateway's channels; absent keys keep the shipped values."""

    takes: frozenset[MediaType] | None = Field(
        default=None, description="media types that the channel accepts; replaces the shipped list"
    )
    markup: Literal["plain", "html", "whatsapp"] | None = Field(
        default=None,
        description="plain: text is sent as it is; html: text is escaped, line breaks become <br>;"
        " whatsapp: *bold*, _italic_",
    )
    buttons: bool | None = Field(
        default=None,
        description="send a text with buttons as a CARD, or (false) as a numbered list",
    )
    max_chars: Annotated[WholeNumber, Field(ge=50)] | None = Field(
        default=None, description="maximum length of a message's text, in characters"
    )
    max_segments: Annotated[WholeNumber, Field(ge=1, le=255)] | None = Field(
        default=None, description="SMS: maximum number of segments of a concatenated message"
    )


def _short_row(value: object) -> object:
    """Expand the short form ``viber: WEB`` to ``viber: {channel: WEB}``."""
    if not isinstance(value, str):
        return value
    if value not in {channel.value for channel in Channel}:
        msg = f"a channel of the gateway: {', '.join(channel.value for channel in Channel)}"
        raise ValueError(msg)
    return {"channel": value}


class RasaChannelRow(Section):
    """A channel of Rasa, by the name that its connector registers."""

    channel: Channel = Field(description="the gateway's channel on which its customers are")
    output: Name | None = Field(
        default=None,
        description="name in `channel:` of responses, if it differs from the connector's",
    )
    push: bool = Field(
        default=True, description="whether Rasa can send messages without a customer's request"
    )


_ChannelOrRow = Annotated[
    RasaChannelRow, BeforeValidator(_short_row, json_schema_input_type=Channel | RasaChannelRow)
]


class MediaRow(Section):
    """A row of the media table: how a kind of content is sent."""

    becomes: tuple[MediaType, ...] = Field(
        description="media types in order of preference; [] skips the content; TEXT is the"
        " channel's type for text"
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield a fault if a media type occurs twice in the fallback chain."""
        becomes = written.get("becomes")
        if isinstance(becomes, list | tuple):
            names = [str(getattr(each, "value", each)) for each in becomes]
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                yield Conflict(
                    ("becomes",),
                    "each media type once",
                    f"remove {printable(twice)} from the list once",
                    found=f"{printable(twice)} twice",
                )


class FileRow(Section):
    """A rule that maps addresses of the bot's files to files that the gateway knows."""

    url: Name | None = Field(default=None, description="exact address")
    prefix: Name | None = Field(default=None, description="start of the address")
    pattern: Name | None = Field(
        default=None, description="regular expression that matches the whole address"
    )
    id: Name | None = Field(default=None, description="ID of a file in the multimedia library")
    key: Name | None = Field(default=None, description="key in the object storage (contentType 1)")
    media_type: MediaType | None = Field(
        default=None, description="media type, if the address does not show it"
    )
    file_type: Name | None = Field(
        default=None, description="file type, if the address does not show it"
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield faults unless there is one way to match, one result, and a valid pattern."""
        yield from _one_of(written, ("url", "prefix", "pattern"), "one of url, prefix and pattern")
        yield from _one_of(
            written, ("id", "key"), "either id (multimedia library) or key (object storage)"
        )
        pattern = written.get("pattern")
        if isinstance(pattern, str) and (wrong := _pattern_fault(pattern)):
            yield Conflict(("pattern",), f"a regular expression; this one has {wrong}", _PATTERN)
        yield from _type_faults(written)


def _one_of(written: Mapping[str, Any], keys: tuple[str, ...], allowed: str) -> Iterator[Conflict]:
    named = [key for key in keys if written.get(key) is not None]
    if len(named) != 1:
        yield Conflict(
            (),
            allowed,
            "keep one of them" if named else "add one of them",
            found=" and ".join(named) or f"a row without {' or '.join(keys)}",
        )


def _type_faults(written: Mapping[str, Any]) -> Iterator[Conflict]:
    """Yield faults for a media type that is not of files, or a file type that it does not list."""
    media_type, file_type = written.get("media_type"), written.get("file_type")
    listed = {each.value: types for each, types in FILE_TYPES.items()}
    if media_type is not None:
        media_type = str(getattr(media_type, "value", media_type))
        if media_type not in listed:
            yield Conflict(
                ("media_type",),
                f"a media type of files: {', '.join(listed)}",
                "name one of them",
                meant=suggest(media_type, listed),
            )
            return
        listed = {media_type: listed[media_type]}
    allowed = [each for types in listed.values() for each in types]
    if file_type is not None and file_type not in allowed:
        yield Conflict(
            ("file_type",),
            f"a file type: {', '.join(allowed)}" if allowed else "nothing: VIDEO has no file types",
            "name one of them" if allowed else "remove file_type",
            meant=suggest(str(file_type), allowed),
        )


_PATTERN = "correct it; signs such as ( [ . * + stand for themselves after a backslash"


def _pattern_fault(pattern: str) -> str:
    try:
        regex.compile(pattern)
    except regex.error as error:
        return str(error)
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
    """How to read a custom payload that no shipped reader recognises."""

    match: Match = Field(
        description='paths and required values: {data.kind: chart}; "*" matches any value'
    )
    as_: Kind = Field(alias="as", description="kind of the content")
    fields: Mapping[PartField, Name] = Field(
        default_factory=dict, description="path of each field in the payload: {url: data.src}"
    )


def _base(value: str) -> str:
    if not regex.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
        msg = "the address of a folder, as in https://bot.example/files/"
        raise ValueError(msg)
    return value


class MediaSettings(Section):
    """The keys of ``media.yml``; without the file, the shipped tables apply."""

    on_unknown_file: Literal["link", "url", "refuse"] = Field(
        default="link",
        description="how to send a file without an ID: link: its address as text;"
        " url: its address as the content; refuse: not at all",
    )
    files: tuple[FileRow, ...] = Field(
        default=(), description="rules that map addresses to library IDs or storage keys"
    )
    base_url: Annotated[str, AfterValidator(_base)] | None = Field(
        default=None, description="base address for relative addresses in replies"
    )
    channels: Mapping[Channel, ChannelChange] = Field(
        default_factory=dict, description="changes to the gateway's channels"
    )
    rasa_channels: Mapping[Name, _ChannelOrRow] = Field(
        default_factory=dict, description="Rasa's channels, by the names of their connectors"
    )
    media: Mapping[Kind, MediaRow] = Field(
        default_factory=dict, description="changes to the media table, by kind of content"
    )
    templates: Mapping[TemplateName, TemplateText] = Field(
        default_factory=dict, description="templates of JSON contents, by media type, or BUTTON"
    )
    shapes: tuple[ShapeRow, ...] = Field(default=(), description="custom payloads of the bot")
    private_markup: Literal["plain", "html"] = Field(
        default="plain", description="format of text in a private deployment"
    )
    email_subject: Name | None = Field(
        default=None, description="subject of e-mails whose reply contains none; null: no subject"
    )
    part_numbers: bool = Field(
        default=False, description="add (1/3) and so on at the end of each part of a long text"
    )
    max_messages: WholeNumber = Field(
        default=50, ge=1, le=1000, description="maximum number of messages for one reply"
    )
    max_items: WholeNumber = Field(
        default=100,
        ge=1,
        le=200,
        description="maximum number of buttons or cards in each part of a reply",
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield faults for rows of channels that violate the gateway's contract."""
        channels = written.get("channels")
        for name, row in channels.items() if isinstance(channels, Mapping) else ():
            channel = str(getattr(name, "value", name))
            takes = row.get("takes") if isinstance(row, Mapping) else getattr(row, "takes", None)
            if isinstance(takes, list | tuple | set | frozenset):
                for each in _forbidden(channel, takes):
                    yield each._replace(path=("channels", channel, "takes"))


def _forbidden(channel: str, takes: Any) -> Iterator[Conflict]:
    """Yield the conflicts of a channel's list of media types; the path is the caller's."""
    names = {str(getattr(each, "value", each)) for each in takes}
    refused = {
        media_type.value: f"a list without it: only {only.value} supports {media_type.value}"
        for media_type, only in ONLY_ON.items()
        if channel != only.value
    }
    text = MediaType.EMAIL if channel == Channel.EMAIL.value else MediaType.TEXT
    if text is MediaType.EMAIL:
        refused["TEXT"] = "a list without it: text is sent as EMAIL on this channel"
    if channel == Channel.TELEGRAM.value:
        refused["LOCATE"] = "a list without it: a location is sent as LOCATION on this channel"
    for name, allowed in refused.items():
        if name in names:
            yield Conflict((), allowed, f"remove {name} from the list", found=f"a list with {name}")
    if text.value not in names:
        yield Conflict(
            (),
            f"a list with {text.value}, the last fallback of all content",
            f"add {text.value} to the list",
            found=f"a list without {text.value}",
        )
