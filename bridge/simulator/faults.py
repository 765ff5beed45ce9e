"""Faults as a test scripts them: which request meets one, how often, and what it is.

Choosing only; ``fault_injection`` acts them out on the connection.
"""

from __future__ import annotations

import fnmatch
import itertools
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.simulator.inbound import Inbound


class Kind(str, Enum):
    """What goes wrong."""

    STATUS = "status"  # an HTTP status; `status`, `body`, `headers`
    RETCODE = "retcode"  # HTTP 200 and a business error; `retcode`, `message`
    DROP_BEFORE = "drop_before"  # the connection closes, nothing was taken
    DROP_AFTER = "drop_after"  # the connection closes, the request was taken
    HANG = "hang"  # silence for `seconds` (none: for good), then the answer
    DELAY = "delay"  # `ms` pass before the request is looked at; then all is normal
    DRIBBLE = "dribble"  # the answer, a byte every `ms`
    CUT = "cut"  # half of the answer, then the connection closes
    GARBAGE = "garbage"  # HTTP 200 with `body` instead of JSON
    EMPTY = "empty"  # HTTP 200 with nothing
    EXPIRE_GUIDS = "expire_guids"  # every GUID goes stale, the sessions stay; then all is normal
    EXPIRE_SESSIONS = "expire_sessions"  # every session is gone; then all is normal
    ROTATE = "rotate"  # every GUID is due for rotation; then all is normal


_TAKEN = {Kind.STATUS: False, Kind.RETCODE: False, Kind.DROP_BEFORE: False}


class Fault(BaseModel):
    """One scripted fault. What is not given matches everything."""

    model_config = ConfigDict(extra="forbid")

    id: int = 0
    kind: Kind
    path: str = "*"  # a pattern of the path below the base: mediacall/*/sendmessage
    method: str | None = None
    agent: str | None = None
    call: str | None = None
    skip: int = Field(default=0, ge=0)  # so many matching requests pass first
    times: int | None = Field(default=1, ge=1)  # null: always
    taken: bool | None = None  # whether the gateway does what was asked; null: the kind's own
    status: int = Field(default=500, ge=100, le=599)
    retcode: str = "000-004"
    message: str = "scripted fault"
    body: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    seconds: float | None = Field(default=None, ge=0)
    ms: float = Field(default=100, ge=0)
    matched: int = 0
    used: int = 0

    @model_validator(mode="after")
    def _counts_are_ours(self) -> Fault:
        if self.kind is Kind.DROP_AFTER and self.taken is False:
            msg = "drop_after is taken; drop_before is not"
            raise ValueError(msg)
        if self.kind is Kind.DROP_BEFORE and self.taken:
            msg = "drop_before is not taken; drop_after is"
            raise ValueError(msg)
        return self

    @property
    def takes(self) -> bool:
        """Whether the gateway does what was asked before it fails to say so."""
        return _TAKEN.get(self.kind, True) if self.taken is None else self.taken

    def meets(self, inbound: Inbound) -> bool:
        """Whether this request is one that the fault is meant for."""
        return (
            fnmatch.fnmatchcase(inbound.path, self.path)
            and self.method in (None, inbound.method)
            and self.agent in (None, inbound.agent)
            and self.call in (None, inbound.call)
        )

    def strikes(self) -> bool:
        """Count a matching request, and tell whether the fault acts on it."""
        if self.times is not None and self.used >= self.times:
            return False
        self.matched += 1
        if self.matched <= self.skip:
            return False
        self.used += 1
        return True


class Faults:
    """The script: the oldest fault that strikes is the one that acts."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, given: dict[str, Any]) -> Fault:
        """Script a fault; raises pydantic's ``ValidationError``."""
        fault = Fault.model_validate(given)
        fault.id, fault.matched, fault.used = next(self._ids), 0, 0
        self._faults.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Forget one fault, or all."""
        self._faults = [] if fault_id is None else [f for f in self._faults if f.id != fault_id]

    def listed(self) -> list[dict[str, Any]]:
        """Every fault, with how often it matched and acted."""
        return [fault.model_dump(mode="json") for fault in self._faults]

    def take(self, inbound: Inbound) -> Fault | None:
        """The fault that this request meets, if any."""
        if not self._faults:
            return None
        return next((f for f in self._faults if f.meets(inbound) and f.strikes()), None)
