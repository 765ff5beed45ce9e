"""The fault script: which requests a fault applies to, how often, and its kind.

This module only selects faults; ``fault_injection`` carries them out on the connection.
"""

from __future__ import annotations

import fnmatch
import itertools
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.simulator.inbound import Inbound


class FaultKind(str, Enum):
    """The kind of a fault."""

    STATUS = "status"  # an HTTP status; `status`, `body`, `headers`
    RETCODE = "retcode"  # HTTP 200 and a business error; `retcode`, `message`
    DROP_BEFORE = "drop_before"  # the connection closes, the request is not performed
    DROP_AFTER = "drop_after"  # the connection closes after the request was performed
    HANG = "hang"  # no response for `seconds` (null: forever), then the normal one
    DELAY = "delay"  # `ms` pass before the request is handled normally
    DRIBBLE = "dribble"  # the response, a byte every `ms`
    CUT = "cut"  # half of the response, then the connection closes
    GARBAGE = "garbage"  # HTTP 200 with `body` instead of JSON
    EMPTY = "empty"  # HTTP 200 with an empty body
    EXPIRE_GUIDS = "expire_guids"  # every GUID goes stale, sessions stay; then normal
    EXPIRE_SESSIONS = "expire_sessions"  # every session ends; then normal
    ROTATE = "rotate"  # every GUID is due for rotation; then normal


_TAKEN = {FaultKind.STATUS: False, FaultKind.RETCODE: False, FaultKind.DROP_BEFORE: False}


class InjectedFault(BaseModel):
    """A scripted fault. A filter that is not given matches every request."""

    model_config = ConfigDict(extra="forbid")

    id: int = 0
    kind: FaultKind
    path: str = "*"  # a pattern of the path below the base: mediacall/*/sendmessage
    method: str | None = None
    agent: str | None = None
    call: str | None = None
    skip: int = Field(default=0, ge=0)  # matching requests that pass first
    times: int | None = Field(default=1, ge=1)  # null: always
    taken: bool | None = None  # whether the request is performed; null: the kind's default
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
    def _check_taken(self) -> InjectedFault:
        if self.kind is FaultKind.DROP_AFTER and self.taken is False:
            msg = "drop_after is taken; drop_before is not"
            raise ValueError(msg)
        if self.kind is FaultKind.DROP_BEFORE and self.taken:
            msg = "drop_before is not taken; drop_after is"
            raise ValueError(msg)
        return self

    @property
    def takes(self) -> bool:
        """Return whether the gateway performs the request in spite of the fault."""
        return _TAKEN.get(self.kind, True) if self.taken is None else self.taken

    def meets(self, inbound: Inbound) -> bool:
        """Return whether the fault's filters match this request."""
        return (
            fnmatch.fnmatchcase(inbound.path, self.path)
            and self.method in (None, inbound.method)
            and self.agent in (None, inbound.agent)
            and self.call in (None, inbound.call)
        )

    def strikes(self) -> bool:
        """Count a matching request; return whether the fault applies to it."""
        if self.times is not None and self.used >= self.times:
            return False
        self.matched += 1
        if self.matched <= self.skip:
            return False
        self.used += 1
        return True


class Faults:
    """The script: of several applicable faults, the oldest is used."""

    def __init__(self) -> None:
        self._faults: list[InjectedFault] = []
        self._ids = itertools.count(1)

    def add(self, given: dict[str, Any]) -> InjectedFault:
        """Add a fault; raises pydantic's ``ValidationError``."""
        fault = InjectedFault.model_validate(given)
        fault.id, fault.matched, fault.used = next(self._ids), 0, 0
        self._faults.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Remove one fault, or all."""
        self._faults = [] if fault_id is None else [f for f in self._faults if f.id != fault_id]

    def listed(self) -> list[dict[str, Any]]:
        """Return all faults as JSON, with how often each matched and was used."""
        return [fault.model_dump(mode="json") for fault in self._faults]

    def take(self, inbound: Inbound) -> InjectedFault | None:
        """Return the fault to apply to this request, if any, and count it."""
        if not self._faults:
            return None
        return next((f for f in self._faults if f.meets(inbound) and f.strikes()), None)
