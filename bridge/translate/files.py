"""Determine a file's type from its address, and look up its ID or key at the gateway.

Nothing is fetched: only the address itself is examined. The file types of each media type are part
of the gateway's contract, in ``config/media.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

import regex

from bridge.config.media import FILE_TYPES, FileRow, Kind, MediaSettings
from bridge.model import MediaType
from bridge.translate.literal import original

INLINE = "data:"  # all that is kept of a data: URL
LONGEST_ADDRESS = 4000  # characters

MEDIA_TYPE_OF: Mapping[Kind, MediaType] = {
    Kind.IMAGE: MediaType.IMAGE,
    Kind.ANIMATION: MediaType.EMOTICONS,
    Kind.VIDEO: MediaType.VIDEO,
    Kind.AUDIO: MediaType.AUDIO,
    Kind.DOCUMENT: MediaType.DOCUMENT,
}
# The reference lists no video file types.
_VIDEOS = ("mp4", "mov", "m4v", "webm", "3gp", "avi", "mkv", "mpeg", "mpg")
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,5})$")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HIDDEN = re.compile(r"(?:javascript|vbscript|data|blob|file|about):", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_QUERY = re.compile(r"[?#].*", re.DOTALL)
_GROUP = re.compile(r"\{(\d|rest)\}")
_PATTERN_TIME = 0.05  # timeout of one pattern, in seconds


@dataclass(frozen=True, slots=True)
class Known:
    """The gateway's record of a file."""

    content: str
    content_type: str | None = None  # "1" for an object-storage key
    media_type: MediaType | None = None
    file_type: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    row: FileRow
    pattern: regex.Pattern[str] | None = None


def extension(address: str) -> str:
    """Return the file's extension in lower case, or ``""`` if the address has none."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    match = _EXTENSION.search(unquote(path).rstrip())
    return match[1].lower() if match else ""


def kind_of(address: str, declared: Kind) -> Kind:
    """Return the kind of the file by its extension, else the kind that the bot declared."""
    ending = extension(address)
    if not ending or file_type(ending, MEDIA_TYPE_OF[declared]):
        return declared
    for kind, media_type in MEDIA_TYPE_OF.items():
        if (kind is Kind.VIDEO and ending in _VIDEOS) or file_type(ending, media_type):
            return kind
    return declared


def file_type(ending: str, media_type: MediaType) -> str | None:
    """Return ``mediaFileType`` as the reference spells it, or None if the type is not listed."""
    return next((each for each in FILE_TYPES[media_type] if each.lower() == ending.lower()), None)


def is_listed(ending: str, media_type: MediaType) -> bool:
    """Return whether files with this extension are of the media type."""
    if media_type is MediaType.VIDEO:
        return ending in _VIDEOS
    return file_type(ending, media_type) is not None


def is_absolute(address: str) -> bool:
    """Return whether the address is an HTTP(S) URL, which customers' devices can open."""
    return address.lower().startswith(("http://", "https://"))


class Files:
    """Looks up a bot's file addresses and converts addresses for display to customers."""

    def __init__(self, media: MediaSettings) -> None:
        self._base = media.base_url
        self._hides_unknown = media.on_unknown_file == "refuse"
        self._exact = {row.url: row for row in media.files if row.url}
        self._others = tuple(
            _Row(row, regex.compile(row.pattern) if row.pattern else None)
            for row in media.files
            if not row.url
        )

    def find(self, address: str) -> Known | None:
        """Look up a file: exact rows first, then the others from top to bottom."""
        for each in dict.fromkeys((original(address), self.shown(address))):
            if not each:
                continue
            if row := self._exact.get(each):
                return _known(row, row.id or row.key or "")
            for other in self._others:
                if found := _match(other, each):
                    return found
        return None

    def shown(self, address: str) -> str:
        """Return the address to show to a customer, or ``""`` if it is not an address."""
        address = _SPACES.sub("%20", original(address).strip())
        if not address or _HIDDEN.match(address):
            return ""
        if _SCHEME.match(address) or address.lower().startswith("www."):
            return address
        if "/" not in address and "." not in address:
            return ""  # a file ID of the bot's channel
        if self._base is None:
            return f"https:{address}" if address.startswith("//") else address
        try:
            return urljoin(self._base, address)
        except ValueError:
            return address

    def picture(self, address: str) -> str:
        """Return the address of a card's picture, or ``""`` if unknown files are refused."""
        return "" if self._hides_unknown else self.shown(address)


def _match(row: _Row, address: str) -> Known | None:
    settings = row.row
    target = settings.id or settings.key or ""
    if settings.prefix is not None:
        if not address.startswith(settings.prefix):
            return None
        rest = _QUERY.sub("", address[len(settings.prefix) :])
        return _known(settings, _GROUP.sub(lambda _: rest, target))
    try:
        match = row.pattern.fullmatch(address, timeout=_PATTERN_TIME) if row.pattern else None
    except TimeoutError:
        return None
    return _known(settings, _filled(target, match)) if match else None


def _filled(target: str, match: regex.Match[str]) -> str:
    """Replace ``{1}`` with the pattern's first group, and so on."""

    def group(place: re.Match[str]) -> str:
        number = int(place[1]) if place[1].isdigit() else 0
        return (match[number] or "") if number <= len(match.groups()) else ""

    return _GROUP.sub(group, target)


def _known(row: FileRow, content: str) -> Known:
    return Known(
        content=content,
        content_type="1" if row.key else None,
        media_type=row.media_type,
        file_type=row.file_type,
    )
