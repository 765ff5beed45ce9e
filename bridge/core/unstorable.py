"""Decide what becomes of a result that the store refuses again and again."""

from __future__ import annotations

from dataclasses import replace

from bridge.core.command_queue import QueuedCommand
from bridge.errors import RasaError, UnknownOutcomeError
from bridge.state.commands import (
    BotAnswered,
    Command,
    PollResult,
    SendingResult,
    SignInResult,
    UpdateResult,
)
from bridge.store import UnavailableError

MOST_REFUSALS = 10  # of one command, while other commands are committed
_UNKNOWN = UnknownOutcomeError("its outcome could not be stored; the log says where")
_RASA_UNKNOWN = RasaError("its outcome could not be stored; the log says where", unknown=True)


def counted(request: QueuedCommand, error: Exception, commits: int) -> QueuedCommand:
    """Return the request with one more refusal; ``commits`` is the number of commits so far."""
    if isinstance(error, UnavailableError):  # says nothing about this command
        return request
    since = request.since if request.refusals else commits
    return request._replace(refusals=request.refusals + 1, since=since)


def is_refused_alone(request: QueuedCommand, commits: int) -> bool:
    """Return whether the store refuses this command although it commits others."""
    return request.refusals >= MOST_REFUSALS and commits > request.since


def substitute(command: Command) -> Command | None:
    """Return a result without the refused values, to be stored instead; None if there is none.

    The outcome of a sending or an update is then unknown; an event and a new GUID are lost, but
    polling continues.
    """
    if getattr(command, "error", None) in (_UNKNOWN, _RASA_UNKNOWN):  # it is one already
        return None
    if isinstance(command, SendingResult):
        return SendingResult(delivery=command.delivery, guid=None, error=_UNKNOWN)
    if isinstance(command, (UpdateResult, BotAnswered)):
        return _unknown_at_rasa(command)
    if isinstance(command, PollResult):
        return replace(command, event=None, new_guid=None, error=_UNKNOWN)
    if isinstance(command, SignInResult):
        return replace(command, guid=None, error=_UNKNOWN)
    return None


def _unknown_at_rasa(command: UpdateResult | BotAnswered) -> Command:
    if isinstance(command, BotAnswered):
        return BotAnswered(update=command.update, error=_RASA_UNKNOWN, acted=True)
    return UpdateResult(update=command.update, error=_RASA_UNKNOWN)
