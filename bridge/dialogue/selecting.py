"""Select the replies that a rule of ``assist.when`` names, and recognise a CALM bot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge import replies
from bridge.config.designers import RESPONSE_SELECTOR
from bridge.dialogue.prediction import Rendering
from bridge.replies import Candidate
from bridge.translate import literal
from bridge.triggers import Decision
from bridge.turn import Turn
from bridge.turn.coerce import mapping, words
from bridge.turn.message import intent_of


def candidates_of(
    decision: Decision, turn: Turn, rendering: Rendering, *, least: float
) -> tuple[Candidate, ...]:
    """Return the candidates of the reply that a rule names, best first.

    Args:
        decision: the rule that holds; its ``reply`` is set.
        turn: the message and its conversation.
        rendering: the domain's responses, and how they are rendered.
        least: minimum confidence of the response selector's candidates.
    """
    name = decision.reply or ""
    if name == RESPONSE_SELECTOR:
        return replies.selector_replies(
            turn,
            responses=rendering.responses,
            channels=rendering.channels,
            seed=rendering.seed,
            codes=rendering.codes,
            quote=literal,
            least=least,
        )
    reply = rendering.response(name, turn.slots)
    if reply is None or not replies.has_content(reply):
        return ()
    return (Candidate(reply, name, decision.confidence, decision.margin, decision.runner_up),)


def is_calm(parse: Mapping[str, Any]) -> bool:
    """Return whether a bot works with CALM's commands: its NLU names commands and no intent."""
    return "commands" in mapping(parse) and words(intent_of(parse).get("name")) is None
