"""A body's JSON is the same whichever parser reads it; what JSON cannot hold is put right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import RefusedError
from bridge.web import body

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NUMBER = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@given(JSON, st.sampled_from([True, False]))
def test_every_value_is_read_as_it_was_written(value: Any, ascii_only: object) -> None:
    written = json.dumps(value, ensure_ascii=bool(ascii_only)).encode()
    for found in (body.parse(written), body.parse_aside(written)):
        assert json.dumps(found) == json.dumps(value)  # 1 is not true, and 1.0 not 1


@pytest.mark.parametrize("odd", [b"NaN", b"Infinity", b"-Infinity"])
def test_what_is_no_number_is_null(odd: bytes) -> None:
    assert body.parse(b'{"confidence": %b}' % odd) == {"confidence": None}


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert body.parse(b'{"text": "\\ud83d!"}') == {"text": "?!"}


@pytest.mark.parametrize(
    "wrong", [b"", b"{", b"[1,]", b'{"a":1} x', b"[" * 100_000 + b"]" * 100_000]
)
def test_what_is_not_json_is_refused_without_being_quoted(wrong: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        body.parse(wrong)
    assert refused.value.status == 400
