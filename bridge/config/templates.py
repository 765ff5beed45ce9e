"""Templates of ``media.yml``: JSON text with ``{{field}}`` where a value goes.

A value is inserted JSON-encoded, once: what it holds is never read as a template, and there are no
expressions. Which template belongs to which media type is in ``translate/media.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

# What a template may name; docs/media.md says what each holds.
FIELDS = (
    "title",
    "description",
    "text",
    "content",
    "url",
    "image_url",
    "file_id",
    "file_type",
    "buttons",
    "cards",
    "latitude",
    "longitude",
    "address",
    "phone",
    "name",
    "language",
    "parameters",
    "components",
    "subject",
    "type",
    "value",
)

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A template, cut at its placeholders: literal, field, literal, field, ..., literal."""

    pieces: tuple[str, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The fields that it names."""
        return frozenset(self.pieces[1::2])

    def render(self, encoded: Mapping[str, str]) -> str:
        """The content; ``encoded`` holds each field's value as JSON text."""
        whole = list(self.pieces)
        whole[1::2] = [encoded[name] for name in self.pieces[1::2]]
        return "".join(whole)


def parse(source: str) -> Template:
    """Read a template.

    Raises:
        ValueError: it names an unknown field, or is not JSON once its values are in.
    """
    pieces = tuple(_PLACEHOLDER.split(source))
    unknown = [name for name in pieces[1::2] if name not in FIELDS]
    if unknown:
        msg = f"{{{{field}}}} with a field of {', '.join(FIELDS)}; not {unknown[0]!r}"
        raise ValueError(msg)
    template = Template(pieces)
    try:
        json.loads(template.render(dict.fromkeys(FIELDS, '"x"')))
    except (ValueError, RecursionError):
        msg = 'JSON with {{field}} where a value goes, without quotes around it: {"t": {{title}}}'
        raise ValueError(msg) from None
    return template
