"""What every use case of a call comes through: giving it, closing it, and who may reach it.

Each function works in its caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nextafter
from typing import TypeAlias

from bridge.errors import RefusedError
from bridge.model import (
    Assignment,
    Delivery,
    DeliveryError,
    Owner,
    Source,
    Suggestion,
    SuggestionState,
    derive,
)
from bridge.store import Tx, assignments, queue, suggestions
from bridge.store.assignments import Standing

ENDED = DeliveryError("call_ended", "the call ended before it could be said")
REASSIGNED = DeliveryError("reassigned", "the call was given to another agent")
SPOKEN = DeliveryError("withdrawn", "the agent has spoken before the bot")
SUSPENDED = DeliveryError("withdrawn", "sending by itself was suspended")
HANDED_BACK = DeliveryError("withdrawn", "the bot has the conversation again")
Freed: TypeAlias = Callable[[Tx, Standing, float], None]  # an agent has a conversation no more
Plain: TypeAlias = Callable[[Delivery], str | None]  # what a person reads of a delivery

_REOFFERED_FOR = 300.0  # seconds that a former agent's unsaid words are offered to the next


def give(
    tx: Tx,
    assignment: Assignment,
    owner: Owner | None,
    source: str,
    *,
    given_at: float,
    now: float,
    plain: Plain,
    freed: Freed,
) -> Standing | None:
    """Store an assignment as the conversation's newest, and close what it replaces.

    The owner stays as it was on the same call unless one is given; a new call is the bot's.
    Returns what was stored before.
    """
    former = assignments.latest(tx, assignment.sender_id, hold=True)
    kept = Owner.BOT
    if former is not None and former.open:
        if former.assignment.call_id != assignment.call_id:
            call_id = former.assignment.call_id
            assignments.end(tx, assignment.sender_id, call_id, now=now)
            _reoffer(tx, close(tx, former, REASSIGNED, now), assignment, now, plain)
            freed(tx, former, now)
        else:
            kept = former.owner
            if former.assignment.agent_id != assignment.agent_id:
                _reoffer(tx, close(tx, former, REASSIGNED, now), assignment, now, plain)
    if former is not None and source == "http":
        # What is given now is the newest, also where the clock was set back.
        given_at = max(given_at, nextafter(former.given_at, inf))
    assignments.give(tx, assignment, owner or kept, source, now=given_at)
    return former


def own_call(tx: Tx, call_id: str, agent_id: str | None, *, with_agent: bool = False) -> Standing:
    """A call that ``agent_id`` may reach (None: a system, which may reach all).

    Raises:
        RefusedError: 404, 403; ``with_agent``, for what is done to it: 409 where the call is over
            or the bot's.
    """
    standing = assignments.of_call(tx, call_id, hold=with_agent)
    if standing is None:
        raise RefusedError(404, "not_found", "no such call was assigned")
    if agent_id is not None and standing.assignment.agent_id != agent_id:
        raise RefusedError(403, "forbidden", "this call is another agent's")
    if with_agent and not standing.open:
        raise RefusedError(409, "call_ended", "this call has ended")
    if with_agent and standing.owner is not Owner.AGENT:
        raise RefusedError(409, "not_with_agent", "the bot has this conversation")
    return standing


def close(tx: Tx, standing: Standing, error: DeliveryError, now: float) -> list[Delivery]:
    """Withdraw what waits of a call that is over for its agent, and what is offered there."""
    suggestions.expire(tx, now=now, call_id=standing.assignment.call_id)
    return queue.withdraw(
        tx,
        error,
        now=now,
        call_id=standing.assignment.call_id,
        sender_id=standing.assignment.sender_id,
    )


def _reoffer(tx: Tx, unsaid: list[Delivery], to: Assignment, now: float, plain: Plain) -> None:
    """Offer what the former agent's call had still to say to the new one, reply by reply."""
    by_reply: dict[str, list[Delivery]] = {}
    for delivery in unsaid:
        by_reply.setdefault(delivery.reply_key, []).append(delivery)
    suggestions.offer(
        tx,
        [
            Suggestion(
                id=derive("reoffered", reply, to.agent_id, to.call_id),
                group=derive("reoffered", reply, to.agent_id, to.call_id),
                sender_id=to.sender_id,
                agent_id=to.agent_id,
                call_id=to.call_id,
                state=SuggestionState.OFFERED,
                created_at=now,
                expires_at=now + _REOFFERED_FOR,
                source=Source(kind=parts[0].origin.value),
                text="\n".join(words for part in parts if (words := plain(part))),
                drafts=tuple(part.draft for part in parts),
                kept=tuple(part.draft for part in parts if plain(part) is None),
            )
            for reply, parts in by_reply.items()
        ],
    )
