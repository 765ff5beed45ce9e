"""Templates of ``media.yml``: JSON text with ``{{field}}`` placeholders.

A value is inserted JSON-encoded, once: it is never parsed as a template itself, and there are no
expressions. ``translate/kinds.py`` assigns templates to media types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

# The fields that a template may use; docs/media.md describes them.
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
    """A template split at its placeholders: literal, field, literal, field, ..., literal."""

    pieces: tuple[str, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Return the fields that the template uses."""
        return frozenset(self.pieces[1::2])

    def render(self, encoded: Mapping[str, str]) -> str:
        """Return the content; ``encoded`` maps each field to its value as JSON text."""
        whole = list(self.pieces)
        whole[1::2] = [encoded[name] for name in self.pieces[1::2]]
        return "".join(whole)


def parse(source: str) -> Template:
    """Parse a template.

    Raises:
        ValueError: the template uses an unknown field, or does not render to valid JSON.
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
