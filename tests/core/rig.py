"""A core on a store, with senders and a clock of the test's, and the commands that tests put."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge import turn as turns
from bridge.config.media import MediaSettings
from bridge.config.settings import BridgeSettings, HandoffSettings
from bridge.core.core import Core
from bridge.core.senders import Senders
from bridge.errors import GatewayError
from bridge.model import Assignment, Delivery, Guid, Owner, SenderId
from bridge.planners import PLANNERS, Planner, Rules
from bridge.state.commands import (
    ActionKind,
    AssignCall,
    BroughtAssignment,
    CallAction,
    Command,
    PushGuid,
    SendReply,
    call_key,
)
from bridge.state.records import AssignmentRecord
from bridge.store import EVERYTHING, Store, lists
from bridge.translate import Translator
from bridge.turn import Turn
from tests.core.clock import HeldClock
from tests.core.senders import NotingSenders, Sending
from tests.making import NOW, assignment

GUID = Guid("guid-1")
RESPONSES: Mapping[str, Any] = {
    "utter_handoff_started": [{"text": "Anna takes over now."}],
    "utter_handoff_unavailable": [{"text": "Nobody is there."}],
    "utter_hours": [{"text": "From 9 to 5."}],
}


def rules(designer: Mapping[str, Any] | None = None, **changes: Any) -> Rules:
    """The rules of a bridge.yml, by section, and a handoff.yml."""
    given: dict[str, Any] = {
        "gateway": {"url": "http://127.0.0.1:9"},
        "channel_config_ids": {"WEB": "202301032048582419"},
    }
    for key, value in changes.items():
        given[key] = {**given.get(key, {}), **value}
    return Rules.of(
        BridgeSettings.model_validate(given),
        HandoffSettings.model_validate(designer or {}),
        Translator(MediaSettings()),
    )


# -- commands --------------------------------------------------------------------------------------


def turn(
    sender: str = "sender",
    *,
    number: int = 1,
    action: ActionKind = ActionKind.HANDOFF,
    at: float = NOW,
    intent: str | None = "human_handoff",
    confidence: float = 0.9,
    paused: bool = False,
    channel: str | None = None,
) -> Turn:
    """A customer's message, and the action that Rasa calls for it."""
    heard = {
        "intent": {"name": intent, "confidence": confidence},
        "intent_ranking": [
            {"name": intent, "confidence": confidence},
            {"name": "another", "confidence": 1 - confidence},
        ],
        "text": "I want a human",
        "message_id": f"{sender}-{number}",
        "metadata": {},
    }
    said = {
        "event": "user",
        "timestamp": at,
        "text": heard["text"],
        "parse_data": heard,
        "message_id": heard["message_id"],
    }
    state = {
        "sender_id": sender,
        "slots": {},
        "latest_message": heard,
        "events": [said],
        "paused": paused,
        "latest_input_channel": channel,
    }
    return turns.read(state, None, action.value)


def call(
    sender: str = "sender",
    *,
    action: ActionKind = ActionKind.HANDOFF,
    brought: Assignment | None = None,
    answer_by: float | None = None,
    wait: float = 2.0,
    responses: Mapping[str, Any] | None = RESPONSES,
    **of_turn: Any,
) -> CallAction:
    """An action call; ``brought`` comes with a token of this moment."""
    made = turn(sender, action=action, **of_turn)
    at = of_turn.get("at", NOW)
    return CallAction(
        key=call_key(made),
        answer_by=answer_by,
        action=action,
        turn=made,
        brought=None if brought is None else BroughtAssignment(brought, at, "token"),
        wait=wait,
        responses=responses,
    )


def given(call_id: str, *, sender: str | None = None, agent: str = "291") -> Assignment:
    """A conversation's assignment to a call."""
    return assignment(
        sender_id=SenderId(sender or f"customer-{call_id}"), call_id=call_id, agent_id=agent
    )


def reply(call_id: str, text: str = "hello", client_id: str = "c-1", **more: Any) -> SendReply:
    """What an agent writes."""
    return SendReply(call_id=call_id, text=text, client_id=client_id, agent_id=None, **more)


# -- a core ----------------------------------------------------------------------------------------


@dataclass
class Asked:
    """Whoever put a command: how often it was answered, and what."""

    answers: list[tuple[Any, BaseException | None]] = field(default_factory=list)

    def __call__(self, value: Any, error: BaseException | None) -> None:
        self.answers.append((value, error))

    @property
    def answered(self) -> bool:
        return bool(self.answers)

    @property
    def error(self) -> BaseException | None:
        """Why it could not be done."""
        assert len(self.answers) == 1, self.answers
        return self.answers[0][1]

    @property
    def value(self) -> Any:
        """The one answer.

        Raises:
            BridgeError: why it could not be done.
        """
        if self.error is not None:
            raise self.error
        return self.answers[0][0]


class Rig:
    """A core that works when the test says so: ``step``. Its thread may be started instead.

    Args:
        store: shared, perhaps, with other cores.
        senders: what is to be sent is kept by them, unless others are given.
        clock: held by the test.
        chosen: what the planners decide by.
        more: further arguments of ``Core``.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: HeldClock | None = None,
        senders: NotingSenders | None = None,
        chosen: Rules | None = None,
        sends: bool = True,
        planners: Mapping[type[Command], Planner] = PLANNERS,
        **more: Any,
    ) -> None:
        self.store = store
        self.clock = clock or HeldClock()
        self.senders = senders or NotingSenders()
        given_senders: Senders | None = self.senders if sends else None
        self.rules = chosen or rules()
        self.core = Core(
            store,
            self.rules,
            senders=given_senders,
            clock=self.clock,
            planners=planners,
            **more,
        )

    # -- commands ------------------------------------------------------------------------------

    def submit(self, *commands: Command) -> list[Asked]:
        """Put commands that come together; they are taken at the next step."""
        asked = [Asked() for _ in commands]
        for command, one in zip(commands, asked, strict=True):
            self.core.submit(command, one)
        return asked

    def ask(self, command: Command) -> Asked:
        """Put a command and let the core work."""
        (asked,) = self.submit(command)
        self.step()
        return asked

    def do(self, command: Command) -> Any:
        """Put a command that is answered at once; its answer.

        Raises:
            BridgeError: why it cannot be done.
        """
        return self.ask(command).value

    def step(self, times: int = 1) -> None:
        """Let the core take what is there."""
        for _ in range(times):
            self.core.step()

    def tell(self) -> None:
        """Let the core know that another process committed something."""
        self.core.notified(EVERYTHING)
        self.step()

    def complete(self, error: GatewayError | None = None, **more: Any) -> Sending:
        """The oldest attempt ends."""
        sending = self.senders.sent.pop(0)
        self.core.put(sending.result(error, **more))
        self.step()
        return sending

    # -- what is there -------------------------------------------------------------------------

    def assign(self, call_id: str, *, owner: Owner | None = Owner.AGENT, agent: str = "291") -> str:
        """Give a call to an agent who has a GUID; the conversation."""
        made = given(call_id, agent=agent)
        self.do(PushGuid(agent_id=agent, guid=GUID))
        self.do(AssignCall(assignment=made, owner=owner))
        return made.sender_id

    def all(self) -> list[Delivery]:
        """Every delivery, in order."""
        return self.store.read(lambda tx: lists.deliveries(tx, limit=10_000))

    def record(self, call_id: str) -> AssignmentRecord:
        """A call's newest assignment."""
        found = self.store.read(lambda tx: lists.assignment_of_call(tx, call_id))
        assert found is not None
        return found


Making = Callable[..., Rig]
