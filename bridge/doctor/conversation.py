"""A conversation in Rasa: does the assignment arrive, and is anything said twice? Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge import assignment_tokens
from bridge.config.settings import HandoffSettings, Settings, response_names
from bridge.doctor.diagnosis import Diagnosis, error, ok, warning
from bridge.errors import AssignmentError
from bridge.state.records import AssignmentRecord
from bridge.turn import OWN_ACTIONS, Turn, read

_KEY = "assignment.metadata"
_REQUIRED = {
    "agent_id": ("agent_id", "agentid"),
    "call_id": ("call_id", "callid"),
    "user_id": ("user_id", "userid"),
}


def examine(
    tracker: Mapping[str, Any], settings: Settings, now: float, stored: AssignmentRecord | None
) -> Iterator[Diagnosis]:
    """Examine a tracker as Rasa's API returns it, and the conversation's newest assignment."""
    turn = read(tracker, None, "")
    yield from _metadata(turn, settings, now, stored)
    yield from _said_twice(tracker, settings)


def _metadata(
    turn: Turn, settings: Settings, now: float, stored: AssignmentRecord | None
) -> Iterator[Diagnosis]:
    mode = settings.bridge.assignment.metadata
    sources = [source for source in (turn.metadata, turn.session_metadata) if source]
    if mode == "off":
        yield ok(_KEY, "off: assignments come over HTTP only")
    elif stored is not None and stored.open and not _assigned(sources, mode):
        yield ok(_KEY, f"none is needed: the conversation has an assignment ({stored.source})")
    elif not sources:
        yield warning(
            _KEY,
            "the last message has no metadata",
            allowed="the key `assignment`" if mode == "signed" else ", ".join(_REQUIRED),
            hint="let the client send `metadata` (REST and socketio keep it, the callback channel"
            " drops it), or put assignments over HTTP",
        )
    elif tokens := [each["assignment"] for each in sources if _has_token(each)]:
        yield _token(str(tokens[0]), turn, settings, now)
    elif mode == "trusted":
        yield _plain(sources)
    elif any(isinstance(each.get("assignment"), Mapping) for each in sources):
        yield error(
            _KEY,
            "the key `assignment` has a mapping, which anybody could have written",
            allowed="a signed token under `assignment`",
            hint="sign the assignment (cc-bridge token --assignment); or set assignment.metadata to"
            " trusted, if no customer can write metadata",
        )
    else:
        yield error(
            _KEY,
            "the last message has metadata, and the key `assignment` is missing",
            allowed="a signed token under `assignment`",
            hint="sign the assignment (cc-bridge token --assignment), or put it over HTTP",
        )


def _assigned(sources: list[Mapping[str, Any]], mode: str) -> bool:
    """Return whether the metadata try to give an assignment."""
    tried = any("assignment" in each for each in sources)
    return tried or (mode == "trusted" and any(not _absent(each) for each in sources))


def _has_token(source: Mapping[str, Any]) -> bool:
    return isinstance(source.get("assignment"), str)


def _token(token: str, turn: Turn, settings: Settings, now: float) -> Diagnosis:
    try:
        # A token that has expired by now was valid when it came.
        at = min(now, turn.message_at or now)
        assignment_tokens.from_token(token, turn.sender_id, settings.bridge, now=at)
    except AssignmentError as failure:
        return error(
            _KEY,
            f"the token is refused ({failure.code}): {failure}",
            allowed="a valid token",
            hint="compare your signing with the test vector in docs/assignments.md",
        )
    return ok(_KEY, "a valid token arrives")


def _plain(sources: list[Mapping[str, Any]]) -> Diagnosis:
    best = min((_absent(source) for source in sources), key=len)
    if not best:
        return ok(_KEY, "agent, call and user arrive")
    return error(
        _KEY,
        f"the metadata lacks {', '.join(best)}",
        allowed=", ".join(_REQUIRED),
        hint="let your back end write these keys into the message's metadata",
    )


def _absent(source: Mapping[str, Any]) -> list[str]:
    inner = source.get("assignment")
    fields = inner if isinstance(inner, Mapping) else source
    return [
        name
        for name, spellings in _REQUIRED.items()
        if not any(each in fields for each in spellings)
    ]


def _said_twice(tracker: Mapping[str, Any], settings: Settings) -> Iterator[Diagnosis]:
    """Find responses that a rule utters in a turn in which the bridge sends them, too."""
    sent = _sent_by_us(settings.designer)
    twice = sorted({name for name in _uttered_beside_us(tracker) if name in sent})
    if twice:
        yield warning(
            "rules",
            f"said twice: a rule utters {', '.join(twice)}, and the bridge sends or suggests it",
            allowed="one of both",
            hint="remove the utter step from the rule; the bridge's action says it",
        )
    else:
        yield ok("rules", "nothing is said twice in this conversation")


def _sent_by_us(designer: HandoffSettings) -> set[str]:
    """Return the responses that the bridge sends or suggests, in any language."""
    announced = (getattr(designer.handoff, key) for key in designer.handoff.ANNOUNCEMENTS)
    replies = (rule.reply for rule in designer.assist.when)
    named = (*announced, *replies, designer.assist.auto.disclose)
    return {name for each in named for name in response_names(each)}


def _uttered_beside_us(tracker: Mapping[str, Any]) -> Iterator[str]:
    """Yield what rules uttered in turns in which an action of the bridge ran."""
    events = tracker.get("events")
    uttered: list[str] = []
    ours = False
    for event in [*(events if isinstance(events, list) else ()), {"event": "user"}]:
        if not isinstance(event, dict):
            continue
        if event.get("event") == "user":
            if ours:
                yield from uttered
            uttered, ours = [], False
        elif event.get("event") == "action":
            name = str(event.get("name"))
            ours = ours or name in OWN_ACTIONS
            if name.startswith("utter_"):
                uttered.append(name)
