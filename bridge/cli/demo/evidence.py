"""What was seen while the demo played: the servers' own words, not judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bridge.cli.demo.loopback import Json


@dataclass(frozen=True, slots=True)
class Clicked:
    """One click of the agent's, and what came of it.

    Attributes:
        of: the scene whose suggestion it is.
        text: the agent's own words, if any.
        status, answer: the API's.
        wire, got: as in ``Played``, since the click.
    """

    of: str
    path: str
    text: str | None
    status: int
    answer: Json
    wire: tuple[Json, ...]
    got: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """One scene as it went.

    Attributes:
        said: who (``user`` or ``bot``) had said what when Rasa called the action.
        intent: how Rasa understood it: ``name`` and ``confidence``.
        events, responses: what Rasa got back.
        uttered: what Rasa then says on its own channel.
        reason: why, in words.
        wire: what reached the gateway meanwhile, event polls left out.
        got: the messages that the gateway took for this customer meanwhile.
        offered: the suggestions that the agent is shown then.
        clicks: what the agent made of them.
        owner: who has the call in the end, if there is one.
        deliveries: the bridge's own account of the call, in the end.
        seconds: what Rasa waited.
    """

    key: str
    said: tuple[tuple[str, str], ...]
    intent: Json
    status: int
    events: tuple[Json, ...]
    responses: tuple[Json, ...]
    uttered: tuple[str, ...]
    reason: str
    wire: tuple[Json, ...]
    got: tuple[Json, ...]
    offered: tuple[Json, ...]
    clicks: tuple[Clicked, ...]
    owner: str | None
    deliveries: tuple[Json, ...]
    seconds: float

    @property
    def slots(self) -> Mapping[str, Any]:
        """The slots that Rasa was told to set."""
        return {each["name"]: each.get("value") for each in self.events if each["event"] == "slot"}

    @property
    def steps(self) -> tuple[str, ...]:
        """The other events in order, an action by its name."""
        return tuple(
            each["name"] if each["event"] == "action" else each["event"]
            for each in self.events
            if each["event"] != "slot"
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """The whole show: the scenes, and the gateway's record at its end."""

    played: Mapping[str, Played]
    recorded: tuple[Json, ...]
    messages: tuple[Json, ...]

    def as_json(self) -> Json:
        """The evidence for a file."""
        return asdict(self)
