"""Every fault says what was found, what is allowed, and what to change: three different things."""

from __future__ import annotations

import pytest

from bridge.config import inspect
from tests.config import test_hours, test_what_designers_write, test_what_operators_write
from tests.config.conftest import GATEWAY, Folder
from tests.translate import test_media_settings

WRITTEN = [
    *(("bridge", GATEWAY + written) for written, _ in test_what_operators_write.FAULTS),
    *(("handoff", written) for written, _ in test_what_designers_write.FAULTS),
    *(("handoff", f"handoff: {{hours: {{{written}}}}}") for written, _ in test_hours.FAULTS),
    *(("media", written) for written, *_ in test_media_settings.WRONG),
]


@pytest.mark.parametrize(("file", "written"), WRITTEN, ids=[text[-60:] for _, text in WRITTEN])
def test_it_says_three_things(folder: Folder, file: str, written: str) -> None:
    faults = inspect(folder.write(**{"bridge": GATEWAY, file: written}).path, {}).faults
    errors = [each for each in faults if each.severity == "error"]
    assert errors
    for fault in errors:
        assert fault.place.file
        assert fault.place.line, fault
        assert fault.found or fault.wrong
        assert fault.cure
        assert fault.found not in (fault.allowed, fault.hint)
        assert fault.allowed != fault.hint


RETENTION = "retention: {content: 30d, audit: 10d}"


def test_the_value_is_found_and_the_cure_is_no_repetition(folder: Folder) -> None:
    folder.write(bridge=GATEWAY + RETENTION)
    (fault,) = (each for each in inspect(folder.path, {}).faults if each.severity == "error")
    assert fault.found == '"10d"'
    assert fault.allowed.startswith("at least as long as retention.content")
    assert fault.cure == "Raise audit, or lower retention.content."


def test_a_token_that_another_entry_has_is_not_shown(folder: Folder) -> None:
    token = "t0123456789abcdef0123456789abcdef"
    tokens = f"api: {{token: {token}, tokens: {{kb: {{token: {token}, may: [metrics]}}}}}}"
    said = folder.write(bridge=GATEWAY + tokens).fault()
    assert "found         the token of another entry" in said
    assert token not in said
