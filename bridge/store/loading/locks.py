"""PostgreSQL's locks on everything that a batch may change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from bridge.state.calls import READERS_SENDER, lines_of
from bridge.state.snapshot import Needs
from bridge.store import rows, schema
from bridge.store.errors import ConflictError
from bridge.store.queues import REQUESTS, LeasedQueue
from bridge.store.statements import Select, Transaction

_LOCK = "SELECT pg_advisory_xact_lock(k) FROM unnest(%s::bigint[]) AS k"
_TRY_LOCK = "SELECT k, pg_try_advisory_xact_lock(k) FROM unnest(%s::bigint[]) AS k"
# An assignment that is open, or whose call was transferred and may come under another ID.
MAY_GO_ON = (
    "(a.ended_at IS NULL OR EXISTS (SELECT 1 FROM calls t WHERE t.call_id = a.call_id"
    " AND t.transfer_to IS NOT NULL))"
)
_CALLS_OF = Select(
    "SELECT s.sender_id, s.call_id FROM {texts} CROSS JOIN suggestions s WHERE s.id = k.value"  # noqa: S608
    " UNION SELECT d.sender_id, d.call_id FROM {numbers} CROSS JOIN deliveries d"
    " WHERE d.seq = k.value"
    " UNION SELECT t.sender_id, t.call_id FROM {texts} CROSS JOIN turns t"
    " WHERE t.key = k.value AND t.call_id IS NOT NULL"
    " UNION SELECT a.sender_id, a.call_id FROM {texts} CROSS JOIN assignments a"
    " WHERE a.call_id = k.value"
    " UNION SELECT k.value, (SELECT n.call_id FROM assignments n WHERE n.sender_id = k.value"
    " ORDER BY n.given_at DESC LIMIT 1) FROM {texts}"
    " UNION SELECT u.sender_id, u.call_id FROM {numbers} CROSS JOIN rasa_updates u"
    " WHERE u.seq = k.value AND u.call_id IS NOT NULL"
    " UNION SELECT a.sender_id, a.call_id FROM {texts} CROSS JOIN assignments a"
    f" WHERE a.user_id = k.value AND {MAY_GO_ON}"
    " UNION SELECT a.sender_id, a.call_id FROM {texts} CROSS JOIN calls c CROSS JOIN assignments a"
    f" WHERE c.call_id = k.value AND a.user_id = c.caller AND {MAY_GO_ON}"
)
_D = rows.listed(schema.deliveries, "d")
_S = rows.listed(schema.suggestions, "s")
_NUMBERED = Select(
    f"SELECT {_D} FROM {{numbers}} CROSS JOIN deliveries d WHERE d.seq = k.value"  # noqa: S608
)
_NUMBERED_SUGGESTIONS = Select(
    f"SELECT {_S} FROM {{numbers}} CROSS JOIN suggestions s WHERE s.seq = k.value"  # noqa: S608
)

# Where the keys stand in the rows.
_CALL_AT = rows.DELIVERY.index("call_id")
_OFFER_AT = rows.SUGGESTION.index("call_id")


class Locks:
    """The locks of one transaction; SQLite has a single writer and needs none."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._locked: set[str] | None = None  # set by ``lock``
        self.needed = tx.dialect == "postgresql"

    def lock(self, needs: Needs) -> None:
        """Lock every conversation and call that this batch may change, in a fixed order."""
        keys: set[str] = set()
        pairs = _CALLS_OF.rows(
            self._tx,
            list(needs.suggestions),
            list(needs.deliveries),
            list(needs.turns),
            list(needs.calls | needs.open_of_calls | needs.brought_calls | needs.reader_calls),
            list(needs.senders),
            list(needs.updates),
            list(needs.users),
            list(needs.reader_calls),
        )
        for sender, call in pairs:
            keys.add(f"sender:{sender}")
            if call is not None:
                keys.add(f"call:{call}")
        keys |= {f"sender:{sender}" for sender in needs.senders}
        keys |= {f"call:{call}" for call in needs.calls | needs.open_of_calls | needs.reader_calls}
        for call in needs.reader_calls:
            keys |= {f"sender:{READERS_SENDER}{call}"}
            keys |= {f"{REQUESTS.lock}:{line}" for line in lines_of(call)}
        keys |= {f"call:{call}" for _, call in needs.pairs}
        keys |= {f"turn:{key}" for key in needs.turns | needs.of_turns}
        keys |= {f"task:{name}" for name in needs.leaders}
        keys |= {f"update:{sender}" for sender, _ in pairs if needs.updates}
        self._locked = keys
        self._lock_all(keys)

    def lock_agents(self, agents: Iterable[str]) -> None:
        """Lock the sessions of agents, in a fixed order."""
        self._lock_all(f"agent:{agent}" for agent in agents)

    def check(self, calls: set[str], senders: Iterable[str] = ()) -> None:
        """Check that no conversation got another call while its lock was awaited.

        Raises:
            ConflictError: one did, and the new call is not locked: load and plan again.
        """
        keys = {f"call:{call}" for call in calls} | {f"sender:{sender}" for sender in senders}
        if self._locked is not None and not self._locked >= keys:
            raise ConflictError("a conversation was given another call meanwhile")

    def _lock_all(self, keys: Iterable[str]) -> None:
        numbers = sorted({_lock_number(key) for key in keys})
        if numbers:
            self._tx.execute(_LOCK, [numbers]).fetchall()

    # -- without waiting -----------------------------------------------------------------------

    def free_deliveries(self, candidates: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Lock the deliveries' calls where no other machine has; return those deliveries."""
        return self._free(candidates, "call", _CALL_AT, _NUMBERED)

    def free_suggestions(self, candidates: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Lock the suggestions' calls where no other machine has; return those suggestions."""
        return self._free(candidates, "call", _OFFER_AT, _NUMBERED_SUGGESTIONS)

    def free_of_queue(
        self, queue: LeasedQueue, candidates: list[tuple[Any, ...]]
    ) -> list[tuple[Any, ...]]:
        """Lock the lines of queued rows where no other machine has; return those rows."""
        return self._free(candidates, queue.lock, queue.line_at, queue.numbered)

    def free_keys(self, kind: str, names: Iterable[str]) -> set[str]:
        """Lock the keys of this kind that no other machine has locked; return their names."""
        numbers = {_lock_number(f"{kind}:{name}"): name for name in names}
        self._tx.execute(_TRY_LOCK, [sorted(numbers)])
        return {numbers[number] for number, locked in self._tx.cursor.fetchall() if locked}

    def _free(
        self, candidates: list[tuple[Any, ...]], kind: str, at: int, numbered: Select
    ) -> list[tuple[Any, ...]]:
        """Lock the rows' keys without waiting; return the locked rows that are still unchanged.

        Rows that another machine changed before the lock are left out; a later load reads them.
        """
        if not self.needed or not candidates:
            return candidates
        free = self.free_keys(kind, [row[at] for row in candidates])
        locked = [row for row in candidates if row[at] in free]
        if not locked:
            return locked
        stored = {row[0]: row for row in numbered.rows(self._tx, [row[0] for row in locked])}
        return [row for row in locked if stored.get(row[0]) == row]


def _lock_number(key: str) -> int:
    """Return the 64-bit number under which PostgreSQL's advisory locks know a key."""
    digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
