"""Decide whether a suggestion may be sent without an agent's approval (``auto``). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge import links, replies
from bridge.model import Draft
from bridge.planners.changes import Changes
from bridge.planners.masking import has_payment_data
from bridge.planners.rules import Rules
from bridge.replies import Candidate
from bridge.state.records import AssignmentRecord
from bridge.state.snapshot import Snapshot
from bridge.translate import literal
from bridge.triggers import Decision

_TYPING_FOR = 10.0  # seconds after a keystroke during which nothing is sent automatically
_PRESENT_FOR = 60.0  # seconds after which an agent that was not heard of counts as absent


def is_allowed(
    changes: Changes,
    record: AssignmentRecord,
    decision: Decision,
    drafts: Iterable[Draft],
    question: str,
) -> bool:
    """Return whether a reply may be sent without an agent's approval.

    Args:
        changes: the changes so far, with the snapshot.
        record: the call.
        decision: the customer's intent, with its confidence and its lead over the runner-up.
        drafts: what would be sent.
        question: what the customer wrote.
    """
    rules = changes.rules.designer.assist.auto
    return (
        _is_certain(changes, decision)
        and not _rests(changes.snapshot, record, changes.rules, changes.now)
        and changes.snapshot.recent_auto.get(record.assignment.call_id, 0) < rules.per_minute
        and not has_payment_data(question)
        and all(_is_harmless(draft.content, rules.hosts) for draft in drafts)
    )


def disclosure(
    changes: Changes,
    record: AssignmentRecord,
    *,
    responses: Mapping[str, Any] | None,
    slots: Mapping[str, Any],
    seed: str,
) -> Sequence[Candidate] | None:
    """Return what is sent after an automatic reply to say that a machine wrote it.

    Args:
        changes: the changes so far.
        record: the call.
        responses: the domain's responses, if known.
        slots: the conversation's slots.
        seed: chooses the response's variation.

    Returns:
        Nothing if ``auto.disclose`` names no response; None if it cannot be said, so that nothing
        may be sent automatically.
    """
    name = changes.rules.designer.assist.auto.disclose
    if name is None:
        return ()
    reply = replies.render(
        responses or {},
        name,
        slots,
        channels=changes.rules.composer.response_channels(record.assignment.channel, None),
        seed=seed,
        codes=changes.rules.languages(slots),
        quote=literal,
    )
    if reply is None or not replies.has_content(reply):
        changes.warn(
            "Nothing is sent automatically: the domain has no response %s, which auto.disclose"
            " names",
            name,
            once=f"disclose {name}",
        )
        return None
    return (Candidate(reply, name, None, None),)


def _rests(snapshot: Snapshot, record: AssignmentRecord, rules: Rules, now: float) -> bool:
    """Return whether what ``auto`` would send on a call is offered to the agent instead."""
    if record.assist_hidden:
        return True
    if record.typing_at is not None and now - record.typing_at < _TYPING_FOR:
        return True
    if rules.designer.assist.auto.typing == "ignored":
        return False
    presence = snapshot.presences.get(record.assignment.agent_id)
    present_at = max(record.desktop_at or 0.0, presence.present_at if presence is not None else 0.0)
    return now - present_at > _PRESENT_FOR


def _is_certain(changes: Changes, decision: Decision) -> bool:
    """Return whether the intent is listed, certain enough, and far enough ahead of the next."""
    rules = changes.rules.designer.assist.auto
    if decision.intent not in rules.intents or decision.confidence is None:
        return False
    ahead = decision.margin or 0.0  # without a runner-up, nothing shows how far it is ahead
    return decision.confidence >= rules.min_confidence and ahead >= rules.min_margin


def _is_harmless(text: str, hosts: Sequence[str]) -> bool:
    """Return whether a text has no payment card's number, and links only to these hosts."""
    return not has_payment_data(text) and all(_is_listed(host, hosts) for host in links.hosts(text))


def _is_listed(host: str, hosts: Sequence[str]) -> bool:
    return any(host == known or host.endswith(f".{known}") for known in map(str.casefold, hosts))
