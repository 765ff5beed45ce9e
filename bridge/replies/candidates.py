"""What could be suggested for a turn: the response selector's ranking, or the bot's own replies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.model import Reply
from bridge.replies.rendering import render
from bridge.turn import Selected, Turn

_OF_ALL = "default"  # the selector that was trained on every retrieval intent


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reply that could be suggested."""

    reply: Reply
    response: str | None  # utter_x, where it was a response
    confidence: float | None
    margin: float | None  # over the next one; None where there is none


def bot_replies(turn: Turn) -> tuple[Candidate, ...]:
    """What the bot said in this turn, with the intent's confidence and margin.

    These are not alternatives: together they are the bot's answer, in its order.
    """
    return tuple(
        Candidate(one.reply, one.response, turn.confidence, turn.margin) for one in turn.replies
    )


def selector_replies(
    turn: Turn,
    *,
    responses: Mapping[str, Any] | None = None,
    channels: Sequence[str] = (),
    seed: str = "",
    limit: int = 5,
) -> tuple[Candidate, ...]:
    """The response selector's ranking as candidates, best first.

    The selector is the one of the turn's intent, else the one of all, else the surest.

    Args:
        turn: what Rasa sent.
        responses: the domain's, where the request carried none.
        channels: see ``render``.
        seed: see ``render``.
        limit: how many; Rasa ranks ten.
    """
    chosen = _chosen(turn)
    if chosen is None:
        return ()
    known = (turn.responses if turn.responses is not None else responses) or {}
    rows = [(f"utter_{one.name}", one.confidence) for one in chosen.ranking]
    if not rows and chosen.response:
        rows = [(chosen.response, chosen.confidence)]
    found: list[Candidate] = []
    for index, (name, confidence) in enumerate(rows):
        if len(found) == limit:
            break
        own = chosen.responses if name == chosen.response else ()
        reply = render({name: known.get(name, own)}, name, turn.slots, channels=channels, seed=seed)
        if reply:
            after = rows[index + 1][1] if index + 1 < len(rows) else None
            ahead = None if confidence is None or after is None else confidence - after
            found.append(Candidate(reply, name, confidence, ahead))
    return tuple(found)


def _chosen(turn: Turn) -> Selected | None:
    by_intent = {one.intent: one for one in turn.selections}
    for name in (turn.intent, _OF_ALL):
        if name in by_intent:
            return by_intent[name]
    return max(turn.selections, key=lambda one: one.confidence or 0.0, default=None)
