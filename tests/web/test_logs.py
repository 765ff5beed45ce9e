"""What Sanic's logs no longer say."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from bridge.errors import describe
from bridge.web import logs


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    found = logging.getLogger("tests.web.discreet")
    discreet = logs.Discreet()
    found.addFilter(discreet)
    yield found
    found.removeFilter(discreet)


def test_the_access_log_has_no_query(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    line = "POST http://127.0.0.1:5055/webhook?token=secret&x=1"
    logger.warning("", extra={"request": line, "status": 200})
    assert vars(caplog.records[0])["request"] == "POST http://127.0.0.1:5055/webhook"


def test_messages_have_no_query(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    logger.warning("Request: %s %s stopped.", "GET", "http://h/bridge/calls?token=secret")
    logger.warning("in handler for uri: 'http://h/webhook?token=secret'")
    assert caplog.messages == [
        "Request: GET http://h/bridge/calls stopped.",
        "in handler for uri: 'http://h/webhook'",
    ]


def test_an_exception_is_named_and_not_quoted(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        _fail()
    except ValueError as error:
        place = describe(error)
        logger.exception(error)  # noqa: TRY401 - as Sanic does
        logger.exception("A middleware failed")
    assert caplog.messages == [f"Sanic reports an error: {place}", f"A middleware failed: {place}"]
    assert "my card" not in caplog.text
    assert "ValueError in " in caplog.text


def test_what_the_system_says_stays(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        raise OSError(98, "Address already in use")
    except OSError:
        logger.exception("Unable to start server")
    assert "Address already in use" in caplog.text


def _fail() -> None:
    message = "my card number is 4111"
    raise ValueError(message)
