"""Find the hosts that a text links to. Pure.

A link is what a channel or a browser may make one of: an address with or without a scheme, a bare
name such as ``shop.example/x``, and an IP address. The address of a mailbox is none.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

# Of scripts without spaces between words: Thai to Khmer, Chinese, Japanese, Korean.
_SPACELESS = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = rf"[^\W{_SPACELESS}]"
_HOST = re.compile(
    r"[/\\]{2}(?:[^\s/\\?#\"'<>]*@)?(?P<addressed>\[[0-9a-f:.]+\]|[\w.%-]+)"
    rf"|(?<!{_WORD})(?<![@.%-])(?P<bare>(?:(?:{_WORD}|-)+\.)+"
    rf"(?:xn--[a-z0-9-]+|[^\W\d_{_SPACELESS}]{{2,}})(?!{_WORD}|-)"
    r"|(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\w))",
    re.IGNORECASE,
)
# What follows a name such as shop.example without a space is not part of it.
_FOLLOWS = re.compile(rf"(?<=[a-z0-9])[{_SPACELESS}]+$")
# Browsers read it as a dot. Between words of scripts without spaces it ends a sentence.
_FULL_STOP = re.compile(r"(?<=[A-Za-z0-9-])\u3002(?=[A-Za-z0-9])")
# The rest of an address: names of files in it are no hosts.
_REST = re.compile(r"(?::\d+)?(?:[/\\?#][A-Za-z0-9!$%&*+./:=?@_~#\\-]*)?")


def hosts(*contents: str) -> set[str]:
    """Return the hosts, in lower case, of the links in texts or in JSON such as a card's."""
    return {host for content in contents for text in _texts(content) for host in _hosts(text)}


def _hosts(text: str) -> Iterator[str]:
    read = _as_read(text)
    end = 0
    while (found := _HOST.search(read, end)) is not None:
        host = (found["addressed"] or found["bare"]).casefold().strip(".")
        host = _FOLLOWS.sub("", host)
        if host:
            yield host
        rest = _REST.match(read, found.end())
        end = rest.end() if rest is not None else found.end()


def _as_read(text: str) -> str:
    """Return a text as browsers read it: without format characters, in ordinary letters."""
    normal = _FULL_STOP.sub(".", unicodedata.normalize("NFKC", text))
    return "".join(char for char in normal if unicodedata.category(char) != "Cf")


def _texts(content: str) -> Iterator[str]:
    """Yield a text itself, or the strings of a JSON object or array."""
    if not content.lstrip().startswith(("{", "[")):
        yield content
        return
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        yield content
        return
    remaining: list[Any] = [value]
    while remaining:
        found = remaining.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            remaining.extend(found.values())
        elif isinstance(found, list):
            remaining.extend(found)
