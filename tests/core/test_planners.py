"""What follows from each command, decided by what is loaded: no store, no clock, no thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from bridge.errors import (
    AssignmentError,
    FinalError,
    RefusedError,
    RetryableError,
    SessionGoneError,
    SigningInError,
    UnknownOutcomeError,
    UnreachableError,
)
from bridge.model import (
    AgentId,
    Delivery,
    DeliveryError,
    DeliveryState,
    Guid,
    Owner,
    Suggestion,
    SuggestionState,
)
from bridge.planners import PLANNERS, Rules
from bridge.state.commands import (
    AcceptSuggestion,
    ActionKind,
    AssignCall,
    CallAction,
    ClaimDeliveries,
    ClaimUpdates,
    Command,
    DiscardDelivery,
    EndCall,
    HandBackCall,
    JudgeTurn,
    PushGuid,
    RejectSuggestion,
    RetryDelivery,
    SendingResult,
    SignInResult,
    WithdrawTurn,
)
from bridge.state.plan import (
    UNANSWERED,
    AskDomain,
    AwaitTurn,
    Effect,
    Plan,
    Put,
    Send,
    SignInAgent,
    Written,
)
from bridge.state.records import (
    ActionAnswer,
    AssignmentRecord,
    RasaUpdate,
    SessionRecord,
    SessionState,
    UpdateKind,
)
from bridge.state.snapshot import Process, Snapshot
from tests.core.rig import GUID, call, given, reply, rules
from tests.making import NOW

CALL, SENDER = "A", "customer-A"
ASSIST = {
    "assist": {
        "when": [{"intent": "ask_hours", "reply": "utter_hours"}],
        "auto": {"intents": ["ask_hours"], "typing": "ignored"},
    }
}
LONG = {"utter_handoff_started": [{"text": "A sentence that fills a message all by itself. " * 3}]}


class Scene:
    """What is loaded, as one after another command changes it."""

    def __init__(self, chosen: Rules | None = None, **process: Any) -> None:
        self.rules = chosen or rules()
        self.now = NOW
        self.snapshot = Snapshot(Process("here", **{"free": 4, **process}))
        self._numbers = count(1)
        self.session()

    def session(
        self, state: SessionState = SessionState.SIGNED_IN, *, guid: Guid | None = GUID, **more: Any
    ) -> SessionRecord:
        """How agent 291 stands."""
        record = SessionRecord(
            AgentId("291"), guid, state, ours=False, generation=1, renewed_at=NOW - 100, **more
        )
        self.snapshot.sessions["291"] = record
        self.snapshot.agents.add("291")
        return record

    def assigned(self, owner: Owner = Owner.AGENT, **more: Any) -> AssignmentRecord:
        """Call A is the conversation's."""
        record = AssignmentRecord(given(CALL), owner, "http", NOW - 60, **more)
        self.snapshot.after(Plan(assignments=(record,)))
        return record

    def plan(self, command: Command) -> Plan:
        """Plan a command, and have it written."""
        plan = PLANNERS[type(command)](self.snapshot, command, self.rules, self.now)
        self.snapshot.after(plan)
        for code, item in list(self.snapshot.deliveries.items()):
            if not item.seq:
                self.snapshot.deliveries[code] = replace(item, seq=next(self._numbers))
        return plan

    def answer(self, command: Command) -> Any:
        """What whoever put the command is told."""
        plan = self.plan(command)
        if plan.finish is not None:
            return plan.finish(Written(self.snapshot.deliveries))
        return plan.answer

    def result(self, sent: Delivery, error: Any = None, **more: Any) -> Plan:
        """An attempt ends."""
        return self.plan(SendingResult(delivery=sent, guid=GUID, error=error, **more))

    @property
    def deliveries(self) -> list[Delivery]:
        return list(self.snapshot.deliveries.values())

    @property
    def states(self) -> list[str]:
        return [item.state.value for item in self.deliveries]

    @property
    def record(self) -> AssignmentRecord:
        found = self.snapshot.of_call(CALL)
        assert found is not None
        return found


def effects(plan: Plan, kind: type[Effect]) -> list[Any]:
    return [each for each in plan.effects if isinstance(each, kind)]


@pytest.fixture
def scene() -> Scene:
    return Scene()


# -- handoff ---------------------------------------------------------------------------------------


def test_a_handoff_is_stored_claimed_and_waited_for(scene: Scene) -> None:
    scene.assigned(Owner.BOT)
    command = call(SENDER)
    plan = scene.plan(command)
    assert plan.answer is UNANSWERED
    assert scene.states == ["sending"]
    assert [each.guid for each in effects(plan, Send)] == [GUID]
    assert effects(plan, AwaitTurn) == [AwaitTurn(command.key, NOW + 2.0)]
    assert (scene.record.owner, scene.record.handed_off_at) == (Owner.AGENT, NOW)
    assert scene.record.card is not None


def test_its_delivery_answers_it(scene: Scene) -> None:
    scene.assigned(Owner.BOT)
    command = call(SENDER)
    scene.plan(command)
    answer = scene.result(scene.deliveries[0]).answers[command.key]
    assert (answer.state, answer.delivery, answer.pause) == ("handoff", "delivered", True)
    assert scene.answer(command) == answer


def test_the_message_code_is_of_the_turn_alone(scene: Scene) -> None:
    scene.assigned(Owner.BOT)
    scene.plan(call(SENDER))
    other = Scene()
    other.now = NOW + 999
    other.assigned(Owner.BOT)
    other.plan(call(SENDER, responses={"utter_handoff_started": [{"text": "other words"}]}))
    assert scene.snapshot.deliveries.keys() == other.snapshot.deliveries.keys()


@pytest.mark.parametrize(
    ("brought", "code"),
    [
        (None, "no_assignment"),
        (AssignmentError("untrusted", "unsigned"), "untrusted"),
    ],
)
def test_without_an_assignment_no_handoff_is_made(
    scene: Scene, brought: AssignmentError | None, code: str
) -> None:
    answer = scene.answer(replace(call(SENDER), brought=brought))
    assert (answer.state, answer.error) == ("bot", code)
    assert answer.unavailable
    assert (answer.response, answer.message) == (None, None)  # the edge renders it
    assert scene.deliveries == []


def test_a_call_that_has_ended_is_nobodys(scene: Scene) -> None:
    scene.assigned(Owner.BOT, ended_at=NOW - 1)
    assert scene.answer(call(SENDER)).error == "closed"


def test_a_token_gives_the_assignment_and_hands_off_at_once(scene: Scene) -> None:
    plan = scene.plan(call(SENDER, brought=given(CALL)))
    assert len(effects(plan, Send)) == 1
    assert (scene.record.source, scene.record.owner) == ("token", Owner.AGENT)


def test_to_the_agent_who_has_it_already_only_the_slots_are_repeated(scene: Scene) -> None:
    scene.assigned(handed_off_at=NOW - 10)
    answer = scene.answer(call(SENDER))
    assert (answer.state, answer.agent_id, answer.call_id) == ("handoff", "291", CALL)
    assert scene.deliveries == []


def test_a_handoff_without_a_domain_asks_rasa_for_it_once() -> None:
    scene = Scene(rules(rasa={"url": "http://127.0.0.1:9"}))
    scene.assigned(Owner.BOT)
    command = call(SENDER, responses=None)
    assert scene.plan(command).effects == (AskDomain(),)
    assert scene.record.owner is Owner.BOT
    plan = scene.plan(replace(command, domain_asked=True))
    assert effects(plan, AskDomain) == []
    (delivery,) = scene.deliveries  # it is made, in the bridge's own words
    assert delivery.draft.content == "You are now connected to a member of our team."


def test_a_handoff_that_says_nothing_is_answered_at_once() -> None:
    scene = Scene(rules({"handoff": {"say": None, "then": "assist"}}))
    scene.assigned(Owner.BOT)
    answer = scene.answer(call(SENDER))
    assert (answer.state, answer.delivery, answer.pause) == ("assist", "none", False)


def test_at_its_wait_a_handoff_that_is_being_sent_is_pending(scene: Scene) -> None:
    scene.assigned(Owner.BOT)
    command = call(SENDER)
    scene.plan(command)
    plan = scene.plan(JudgeTurn(turn_key=command.key))
    assert plan.answers[command.key].delivery == "pending"
    assert scene.record.owner is Owner.AGENT


def test_before_its_wait_it_is_judged_only_when_all_is_settled(scene: Scene) -> None:
    scene.assigned(Owner.BOT)
    command = call(SENDER)
    scene.plan(command)
    assert scene.plan(JudgeTurn(turn_key=command.key, final=False)).answers == {}


def test_where_nobody_could_be_reached_it_is_withdrawn_and_the_customer_told(scene: Scene) -> None:
    scene.assigned(Owner.BOT)
    command = call(SENDER)
    scene.plan(command)
    scene.result(scene.deliveries[0], UnreachableError("no connection"))
    assert scene.states == ["waiting"]
    answer = scene.plan(JudgeTurn(turn_key=command.key)).answers[command.key]
    assert (answer.state, answer.error) == ("bot", "gateway_unreachable")
    assert scene.states == ["failed"]
    assert (scene.record.owner, scene.record.handed_off_at) == (Owner.BOT, None)


def test_an_agent_without_a_guid_cannot_take_over(scene: Scene) -> None:
    scene.session(SessionState.GONE, guid=None)
    scene.assigned(Owner.BOT)
    command = call(SENDER)
    assert effects(scene.plan(command), Send) == []
    answer = scene.plan(JudgeTurn(turn_key=command.key)).answers[command.key]
    assert answer.error == "agent_signed_out"


@pytest.mark.parametrize(
    ("channel", "tells"), [(None, True), ("callback", True), ("rest", False), ("cmdline", False)]
)
def test_a_promise_that_is_broken_later_hands_back_and_tells_rasa(
    channel: str | None, *, tells: bool
) -> None:
    scene = Scene(rules(rasa={"url": "http://127.0.0.1:9"}))
    scene.assigned(Owner.BOT)
    command = call(SENDER, channel=channel)
    scene.plan(command)
    scene.plan(JudgeTurn(turn_key=command.key))
    plan = scene.result(scene.deliveries[0], FinalError("refused", retcode="106-001"))
    kinds = [UpdateKind.RESUME, UpdateKind.MESSAGE] if tells else [UpdateKind.RESUME]
    assert [update.kind for update in plan.updates] == kinds  # a REST channel cannot be pushed to
    assert (scene.record.owner, scene.record.untold) == (Owner.BOT, True)


def test_where_unavailable_is_null_nobody_apologises_for_a_broken_promise() -> None:
    silent = {"handoff": {"unavailable": None}}
    scene = Scene(rules(silent, rasa={"url": "http://127.0.0.1:9"}))
    scene.assigned(Owner.BOT)
    command = call(SENDER)
    scene.plan(command)
    scene.plan(JudgeTurn(turn_key=command.key))
    plan = scene.result(scene.deliveries[0], FinalError("refused", retcode="106-001"))
    assert [update.kind for update in plan.updates] == [UpdateKind.RESUME]


def test_a_handoff_is_judged_in_time_for_its_caller(scene: Scene) -> None:
    """Asking Rasa for its domain took a while."""
    scene.assigned(Owner.BOT)
    (wait,) = effects(scene.plan(call(SENDER, wait=2.0, answer_by=NOW + 1.5)), AwaitTurn)
    assert wait.judge_at == pytest.approx(NOW + 1.1)


def test_one_that_was_stored_too_late_is_undone(scene: Scene) -> None:
    scene.assigned(Owner.BOT)
    command = call(SENDER)
    scene.plan(command)
    answer = scene.plan(WithdrawTurn(turn_key=command.key)).answers[command.key]
    assert answer.error == "store_unavailable"
    assert scene.states == ["failed"]
    assert scene.record.owner is Owner.BOT


def test_a_tool_that_sends_nothing_leaves_it_waiting() -> None:
    scene = Scene(sends=False)
    scene.assigned(Owner.BOT)
    plan = scene.plan(call(SENDER))
    assert effects(plan, Send) == []
    assert (scene.states, plan.due) == (["waiting"], NOW)


# -- assist ----------------------------------------------------------------------------------------


def asks(number: int = 2, **more: Any) -> CallAction:
    return call(SENDER, action=ActionKind.ASSIST, intent="ask_hours", number=number, **more)


def offered(scene: Scene) -> list[Suggestion]:
    return list(scene.snapshot.offered(call_id=CALL))


@pytest.fixture
def desk() -> Scene:
    """An agent has the call, and the bot helps."""
    scene = Scene(rules(ASSIST, rasa={"url": "http://127.0.0.1:9"}))
    scene.assigned()
    return scene


def test_the_agent_is_offered_what_the_bot_would_say(desk: Scene) -> None:
    assert desk.answer(asks()) == ActionAnswer()
    (suggestion,) = offered(desk)
    assert suggestion.text == "From 9 to 5."
    assert desk.deliveries == []


def test_the_bot_says_it_itself_where_it_has_the_conversation() -> None:
    scene = Scene(rules(ASSIST))
    scene.assigned(Owner.BOT)
    assert scene.answer(asks()).response == "utter_hours"
    assert offered(scene) == []


@pytest.mark.parametrize(("confidence", "sent"), [(0.95, True), (0.5, False)])
def test_auto_sends_what_the_designer_allows(confidence: float, *, sent: bool) -> None:
    scene = Scene(rules({"assist": {**ASSIST["assist"], "mode": "auto"}}))
    scene.assigned()
    scene.plan(asks(confidence=confidence))
    assert scene.states == (["sending"] if sent else [])
    assert len(offered(scene)) == (0 if sent else 1)


def test_the_customers_next_message_supersedes_what_is_offered(desk: Scene) -> None:
    desk.plan(asks(2))
    (first,) = offered(desk)
    desk.plan(asks(3))
    assert [item.id != first.id for item in offered(desk)] == [True]
    assert desk.snapshot.suggestions[first.id].state is SuggestionState.SUPERSEDED


def test_the_same_call_twice_offers_once(desk: Scene) -> None:
    desk.plan(asks())
    assert desk.plan(asks()).suggestions == ()


# -- an agent's decisions --------------------------------------------------------------------------


def decided(scene: Scene) -> str:
    scene.plan(asks())
    return offered(scene)[0].id


def test_an_accepted_suggestion_is_sent_in_the_agents_name(desk: Scene) -> None:
    name = decided(desk)
    suggestion, sent = desk.answer(AcceptSuggestion(suggestion_id=name, agent_id="291"))
    assert suggestion.state is SuggestionState.ACCEPTED
    assert [item.draft.content for item in sent] == ["From 9 to 5."]
    assert (sent[0].suggestion_id, sent[0].approved_by) == (name, "291")


def test_an_edited_one_is_sent_in_the_agents_words(desk: Scene) -> None:
    command = AcceptSuggestion(suggestion_id=decided(desk), agent_id="291", text="Until 6.")
    suggestion, sent = desk.answer(command)
    assert (suggestion.state, suggestion.edited_text) == (SuggestionState.EDITED, "Until 6.")
    assert [item.draft.content for item in sent] == ["Until 6."]


def test_an_accept_twice_sends_once(desk: Scene) -> None:
    command = AcceptSuggestion(suggestion_id=decided(desk), agent_id="291")
    first = desk.answer(command)
    second = desk.answer(command)
    assert [item.seq for item in first[1]] == [item.seq for item in second[1]] == [1]
    assert len(desk.deliveries) == 1


def test_a_rejected_one_is_settled(desk: Scene) -> None:
    name = decided(desk)
    suggestion = desk.answer(RejectSuggestion(suggestion_id=name, agent_id="291", reason="no"))
    assert (suggestion.state, suggestion.reason) == (SuggestionState.REJECTED, "no")
    with pytest.raises(RefusedError, match="rejected already"):
        desk.plan(AcceptSuggestion(suggestion_id=name, agent_id="291"))


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (AcceptSuggestion(suggestion_id="no such", agent_id="291"), 404),
        (RejectSuggestion(suggestion_id="no such", agent_id=None), 404),
        (RetryDelivery(delivery_id=99, agent_id="291"), 404),
        (HandBackCall(call_id="no such", agent_id="291"), 404),
        (HandBackCall(call_id=CALL, agent_id="292"), 404),
        (reply(CALL, " "), 422),
        (reply("no such"), 404),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Command) else str(value),
)
def test_what_cannot_be_is_refused(desk: Scene, command: Command, status: int) -> None:
    with pytest.raises(RefusedError) as refused:
        desk.plan(command)
    assert refused.value.status == status


def test_a_suggestion_that_is_too_old_cannot_be_taken(desk: Scene) -> None:
    name = decided(desk)
    desk.now += 301
    with pytest.raises(RefusedError, match="expired already"):
        desk.plan(AcceptSuggestion(suggestion_id=name, agent_id="291"))


def test_what_was_to_go_by_itself_is_withdrawn_once_the_agent_speaks() -> None:
    scene = Scene(rules({"assist": {**ASSIST["assist"], "mode": "auto"}}))
    scene.assigned()
    scene.plan(reply(CALL, "one", "c-1"))
    scene.plan(asks(confidence=0.95))
    assert scene.states == ["sending", "waiting"]
    scene.plan(reply(CALL, "two", "c-2"))
    assert scene.states == ["sending", "failed", "waiting"]


# -- handback, end, reassignment -------------------------------------------------------------------


def test_handed_back_the_bot_has_it_and_rasa_is_told(desk: Scene) -> None:
    desk.plan(asks())
    plan = desk.plan(HandBackCall(call_id=CALL, agent_id="291"))
    assert (desk.record.owner, desk.record.handed_back_at) == (Owner.BOT, NOW)
    assert [update.kind for update in plan.updates] == [UpdateKind.RESUME]
    assert offered(desk) == []


def test_without_rasas_address_nobody_can_hand_back_at_the_desk(scene: Scene) -> None:
    scene.assigned()
    with pytest.raises(RefusedError) as refused:
        scene.plan(HandBackCall(call_id=CALL, agent_id="291"))
    assert refused.value.code == "rasa_url_missing"


def test_the_action_hands_back_too(scene: Scene) -> None:
    scene.assigned(handed_off_at=NOW - 90)
    answer = scene.answer(call(SENDER, action=ActionKind.HANDBACK))
    assert answer.state == "bot"
    assert answer.summary == "Time with our team: 2 min. Messages: 0."
    assert scene.record.owner is Owner.BOT


def test_the_end_withdraws_what_waits_and_lets_what_is_being_sent_go(scene: Scene) -> None:
    scene.assigned()
    scene.plan(reply(CALL, "one", "c-1"))
    scene.plan(reply(CALL, "two", "c-2"))
    assert scene.answer(EndCall(sender_id=SENDER)) is True
    assert scene.states == ["sending", "failed"]
    assert scene.deliveries[1].error is not None
    assert scene.deliveries[1].error.code == "call_ended"


def test_another_agent_is_offered_what_the_former_one_had_still_to_say(scene: Scene) -> None:
    scene.assigned()
    scene.plan(reply(CALL, "one", "c-1"))
    scene.plan(reply(CALL, "two", "c-2"))
    scene.plan(AssignCall(assignment=given(CALL, agent="292")))
    assert scene.states == ["sending", "failed"]
    assert [(item.agent_id, item.text) for item in offered(scene)] == [("292", "two")]
    # What is taken back from a busy gateway by now is not the new agent's to say.
    scene.result(scene.deliveries[0], RetryableError("busy", status=503))
    scene.now += 10
    scene.snapshot.due = [scene.deliveries[0].message_code]
    scene.plan(ClaimDeliveries(limit=4))
    assert scene.deliveries[0].state is DeliveryState.FAILED
    assert scene.deliveries[0].error is not None
    assert scene.deliveries[0].error.code == "reassigned"


# -- claiming what cannot be planned ---------------------------------------------------------------


def test_a_delivery_that_cannot_be_claimed_fails_by_itself(scene: Scene) -> None:
    scene.assigned()
    scene.plan(reply(CALL, "one", "c-1"))
    scene.result(scene.deliveries[0], RetryableError("busy", status=503))
    scene.now += 10
    (found,) = scene.deliveries
    broken: Any = "no time"
    scene.snapshot.deliveries[found.message_code] = replace(found, expires_at=broken)
    scene.snapshot.due = [found.message_code]
    assert scene.plan(ClaimDeliveries(limit=4)).answer == 0
    assert scene.states == ["failed"]
    assert scene.deliveries[0].error is not None
    assert scene.deliveries[0].error.code == "internal"


def test_an_update_that_cannot_be_made_fails_by_itself(scene: Scene) -> None:
    whole = {"text": "Hello", "media_type": "TEXT", "origin": "agent", "agent_id": "291", "at": NOW}
    for number, body in enumerate(({}, whole | {"approved_by": None})):
        scene.snapshot.updates[f"u-{number}"] = RasaUpdate(
            seq=number + 1,
            id=f"u-{number}",
            sender_id=f"customer-{number}",
            call_id=None,
            kind=UpdateKind.WRITE_BACK,
            body=body,
            created_at=NOW,
            due_at=NOW,
            expires_at=NOW + 300,
        )
    scene.snapshot.due_updates = ["u-0", "u-1"]
    plan = scene.plan(ClaimUpdates(limit=4))
    assert plan.answer == 1
    assert [item.state.value for item in plan.updates] == ["failed", "sending"]


# -- results ---------------------------------------------------------------------------------------


@pytest.fixture
def sending() -> Scene:
    """One message is being sent, and the next one waits."""
    scene = Scene()
    scene.assigned()
    scene.plan(reply(CALL, "one", "c-1"))
    scene.plan(reply(CALL, "two", "c-2"))
    return scene


@pytest.mark.parametrize(
    ("error", "states"),
    [
        (None, ["delivered", "sending"]),
        (FinalError("refused", retcode="106-001"), ["failed", "sending"]),
        (RetryableError("busy", status=503), ["waiting", "waiting"]),
        (UnknownOutcomeError("no answer"), ["sending", "waiting"]),  # once more, at once
        (SessionGoneError("gone", retcode="100-006"), ["waiting", "waiting"]),
    ],
    ids=str,
)
def test_what_an_attempt_came_to(sending: Scene, error: Any, states: list[str]) -> None:
    sending.result(sending.deliveries[0], error)
    assert sending.states == states


def test_a_result_after_its_lease_was_taken_over_moves_nothing(sending: Scene) -> None:
    sent = replace(sending.deliveries[0], lease="elsewhere:1:x")
    assert sending.result(sent).deliveries == ()
    assert sending.states == ["sending", "waiting"]


def test_a_guid_that_was_renewed_meanwhile_is_tried_in_the_same_attempt(sending: Scene) -> None:
    sending.session(guid=Guid("newer"))
    plan = sending.result(sending.deliveries[0], SessionGoneError("gone", retcode="100-006"))
    (again,) = effects(plan, Send)
    assert (again.guid, again.retried) == (Guid("newer"), True)


def test_after_that_it_is_another_attempt(sending: Scene) -> None:
    sending.session(guid=Guid("newer"))
    (before, _) = sending.deliveries
    gone = SessionGoneError("gone", retcode="100-006")
    plan = sending.result(before, gone, retried=True)
    assert [each.retried for each in effects(plan, Send)] == [False]
    assert sending.deliveries[0].attempts == before.attempts + 1
    assert sending.deliveries[0].lease != before.lease


def test_a_part_that_fails_takes_the_rest_of_its_reply_with_it() -> None:
    scene = Scene(rules(gateway={"max_content_chars": 50}))
    scene.assigned(Owner.BOT)
    scene.plan(call(SENDER, responses=LONG))
    assert scene.states == ["sending", "waiting", "waiting"]
    scene.result(scene.deliveries[0], FinalError("refused", retcode="106-001"))
    assert scene.states == ["failed"] * 3
    assert [item.error.code for item in scene.deliveries if item.error is not None] == [
        "106-001",
        "previous_part",
        "previous_part",
    ]


def test_while_others_wait_for_a_sender_the_next_of_the_call_waits_for_its_turn(
    sending: Scene,
) -> None:
    sending.snapshot.process = replace(sending.snapshot.process, backlog=True)
    plan = sending.result(sending.deliveries[0])
    assert sending.states == ["delivered", "waiting"]
    assert plan.due == NOW


def test_without_a_free_sender_it_waits() -> None:
    scene = Scene(free=0)
    scene.assigned()
    plan = scene.plan(reply(CALL))
    assert (scene.states, plan.due) == (["waiting"], NOW)


def test_one_sign_in_for_all_who_wait() -> None:
    agents: Mapping[str, Any] = {
        "291": {"session": "sign_in", "password": "secret-password", "phone": "40038"}
    }
    scene = Scene(rules(agents=agents))
    scene.session(SessionState.GONE, guid=None)
    scene.assigned()
    plans = [scene.plan(reply(CALL, f"{number}", f"c-{number}")) for number in range(3)]
    assert [len(effects(plan, SignInAgent)) for plan in plans] == [1, 0, 0]
    came = scene.plan(SignInResult(agent_id="291", guid=Guid("new")))
    assert scene.snapshot.sessions["291"].usable
    assert len(effects(came, Put)) == 1  # what waits for it is woken


def test_signing_in_is_no_attempt() -> None:
    scene = Scene()
    scene.assigned()
    scene.plan(reply(CALL))
    scene.result(scene.deliveries[0], SigningInError("a moment"))
    assert [(item.attempts, item.state.value) for item in scene.deliveries] == [(0, "waiting")]


def test_a_pushed_guid_wakes_what_waits_for_it(scene: Scene) -> None:
    session = scene.answer(PushGuid(agent_id="291", guid=Guid("pushed")))
    assert (session.guid, session.state, session.generation) == (
        Guid("pushed"),
        SessionState.SIGNED_IN,
        2,
    )


# -- retry and discard -----------------------------------------------------------------------------


@pytest.fixture
def failed() -> Scene:
    scene = Scene()
    scene.assigned()
    scene.plan(reply(CALL))
    scene.result(scene.deliveries[0], FinalError("refused", retcode="106-001"))
    return scene


def test_a_retry_sends_once_more_under_the_same_code(failed: Scene) -> None:
    (before,) = failed.deliveries
    after = failed.answer(RetryDelivery(delivery_id=before.seq, agent_id="291"))
    assert (after.state, after.message_code) == (DeliveryState.SENDING, before.message_code)
    assert (after.unknowns, after.error, after.settled_at) == (0, None, None)


@pytest.mark.parametrize(
    "code",
    [
        "withdrawn",
        "call_ended",
        "reassigned",
        "discarded",
        "previous_part",
        "too_many_waiting",
    ],
)
def test_what_was_stopped_on_purpose_is_retried_on_insistence_only(
    failed: Scene, code: str
) -> None:
    (before,) = failed.deliveries
    stopped = replace(before, error=DeliveryError(code, "a reason"))
    failed.snapshot.deliveries[before.message_code] = stopped
    command = RetryDelivery(delivery_id=before.seq, agent_id="291")
    with pytest.raises(RefusedError, match="stopped on purpose") as raised:
        failed.plan(command)
    assert (raised.value.status, raised.value.code) == (409, code)
    after = failed.answer(replace(command, again=True))
    assert after.state is DeliveryState.SENDING


def test_what_was_overtaken_is_retried_on_insistence_only(failed: Scene) -> None:
    (before,) = failed.deliveries
    failed.snapshot.last_delivered[CALL] = before.seq + 1
    command = RetryDelivery(delivery_id=before.seq, agent_id="291")
    with pytest.raises(RefusedError, match="a later message") as raised:
        failed.plan(command)
    assert (raised.value.status, raised.value.code) == (409, "said_since")
    assert failed.answer(replace(command, again=True)).state is DeliveryState.SENDING


def test_what_was_followed_by_a_handback_is_retried_on_insistence_only(failed: Scene) -> None:
    (before,) = failed.deliveries
    failed.assigned(handed_back_at=NOW + 1)
    command = RetryDelivery(delivery_id=before.seq, agent_id="291")
    with pytest.raises(RefusedError, match="handed back") as raised:
        failed.plan(command)
    assert raised.value.code == "handed_back"
    assert failed.answer(replace(command, again=True)).state is DeliveryState.SENDING


def test_a_retry_twice_is_one(failed: Scene) -> None:
    command = RetryDelivery(delivery_id=failed.deliveries[0].seq, agent_id="291")
    failed.plan(command)
    assert failed.plan(command).deliveries == ()
    with pytest.raises(RefusedError, match="sending"):
        failed.plan(replace(command, key="another"))


def test_what_is_delivered_is_not_sent_again() -> None:
    scene = Scene()
    scene.assigned()
    scene.plan(reply(CALL))
    scene.result(scene.deliveries[0])
    with pytest.raises(RefusedError, match="delivered"):
        scene.plan(RetryDelivery(delivery_id=scene.deliveries[0].seq, agent_id="291"))


def test_discarding_what_waits_lets_the_next_one_go(sending: Scene) -> None:
    sending.plan(reply(CALL, "three", "c-3"))
    sending.plan(DiscardDelivery(delivery_id=sending.deliveries[1].seq, agent_id="291"))
    sending.result(sending.deliveries[0])
    assert sending.states == ["delivered", "failed", "sending"]
