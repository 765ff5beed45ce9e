"""Candidates for suggestions: the response selector's ranking, or the bot's own replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.model import Reply
from bridge.replies.rendering import has_content, render
from bridge.turn import Selected, Turn

_OF_ALL = "default"  # the selector trained on all retrieval intents


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reply that can be suggested."""

    reply: Reply
    response: str | None  # utter_x, if it was a response
    confidence: float | None
    margin: float | None  # ahead of the next; None without a next one
    runner_up: str | None = None  # the name of the next


def bot_replies(turn: Turn) -> tuple[Candidate, ...]:
    """Return what the bot said in this turn, with the intent's confidence and margin.

    These are not alternatives: together and in order they are the bot's answer.
    """
    return tuple(
        Candidate(said.reply, said.response, turn.confidence, turn.margin, turn.runner_up)
        for said in turn.replies
    )


def selector_replies(
    turn: Turn,
    *,
    responses: Mapping[str, Any] | None = None,
    channels: Sequence[str] = (),
    seed: str = "",
    codes: Sequence[str] = (),
    least: float = 0.0,
    limit: int = 5,
    quote: Callable[[str], str] = str,
) -> tuple[Candidate, ...]:
    """Return the response selector's ranking as candidates, best first.

    The selector is that of the turn's intent, else the one trained on all retrieval intents, else
    the one with the highest confidence.

    Args:
        turn: what Rasa sent.
        responses: the domain's responses, used if the request carried none.
        channels: see ``render``.
        seed: see ``render``.
        codes: see ``render``.
        least: the minimum confidence; one that Rasa did not report passes.
        limit: the maximum number; Rasa ranks ten.
        quote: see ``render``.
    """
    chosen = _chosen(turn)
    if chosen is None:
        return ()
    known = (turn.responses if turn.responses is not None else responses) or {}
    rows = [(f"utter_{ranked.name}", ranked.confidence) for ranked in chosen.ranking]
    if not rows and chosen.response:
        rows = [(chosen.response, chosen.confidence)]
    candidates: list[Candidate] = []
    for index, (name, confidence) in enumerate(rows):
        if len(candidates) == limit:
            break
        if confidence is not None and confidence < least:
            continue
        own = chosen.responses if name == chosen.response else ()
        reply = render(
            {name: known.get(name, own)},
            name,
            turn.slots,
            channels=channels,
            seed=seed,
            codes=codes,
            quote=quote,
        )
        if reply is not None and has_content(reply):
            following, after = rows[index + 1] if index + 1 < len(rows) else (None, None)
            ahead = None if confidence is None or after is None else confidence - after
            runner_up = following.removeprefix("utter_") if following else None
            candidates.append(Candidate(reply, name, confidence, ahead, runner_up))
    return tuple(candidates)


def _chosen(turn: Turn) -> Selected | None:
    by_intent = {selected.intent: selected for selected in turn.selections}
    for name in (turn.intent, _OF_ALL):
        if name in by_intent:
            return by_intent[name]
    return max(turn.selections, key=lambda selected: selected.confidence or 0.0, default=None)
