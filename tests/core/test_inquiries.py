"""What the bridge reads from the gateway: the bot is asked, by a sender that the test drives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bridge.config.settings import BridgeSettings, HandoffSettings, RasaSettings
from bridge.errors import FinalError
from bridge.model import DeliveryState, Origin, Owner
from bridge.planners import PLANNERS, Rules
from bridge.planners.changes import Changes
from bridge.planners.written import customer_wrote
from bridge.rasa import Rasa
from bridge.senders.questions import QuestionSender
from bridge.senders.rasa import RasaSender
from bridge.state.calls import CallRequestKind
from bridge.state.commands import BotAnswered, Command, HandBackCall, UpdateResult
from bridge.state.inquiries import InquiryKind, InquiryStep
from bridge.state.plan import Plan
from bridge.state.records import MessageRecord, RasaUpdate, UpdateKind, UpdateState
from bridge.state.snapshot import Needs, Snapshot
from bridge.store import lists
from tests.core import readers
from tests.core.rig import Making, Rig, reply, rules
from tests.making import NOW
from tests.scenarios.rasa_stub import RasaStub

SENDER = "customer-A"
TOKEN = "the-token-of-the-channel-0123456789"
DESIGNER: dict[str, Any] = {
    "handoff": {"when": [{"intent": "human"}, {"fallbacks": 3}]},
    "assist": {"when": [{"intent": "hours"}, {"intent": "price", "reply": "utter_price"}]},
}


@dataclass(frozen=True, kw_only=True)
class ReadMessage(Command):
    """A customer's message, as an event of the gateway tells it."""

    text: str
    message_id: str = "m-1"

    def needs(self) -> Needs:
        return Needs(calls=frozenset({"A"}), open_of_calls=frozenset({"A"}))


def read_message(snapshot: Snapshot, command: ReadMessage, chosen: Rules, now: float) -> Plan:
    changes = Changes(snapshot, chosen, now)
    record = snapshot.of_call("A")
    assert record is not None
    message = MessageRecord(SENDER, "A", command.message_id, command.text, now, now)
    customer_wrote(changes, record, message)
    return changes.plan(answer=True)


def understood(intent: str, confidence: float = 0.95) -> dict[str, Any]:
    ranking = [
        {"name": intent, "confidence": confidence},
        {"name": "another", "confidence": 1 - confidence},
    ]
    return {"intent": ranking[0], "intent_ranking": ranking, "entities": []}


@pytest.fixture
def rasa() -> Iterator[RasaStub]:
    with RasaStub() as stub:
        stub.domain = {
            "responses": {
                "utter_hours": [{"text": "From 9 to 5."}],
                "utter_moment": [{"text": "One moment."}],
                "utter_price": [{"text": "24 euros."}],
                "utter_handoff_started": [{"text": "Anna takes over now."}],
                "utter_handoff_unavailable": [{"text": "Nobody is there."}],
            }
        }
        stub.understood = {
            "When?": understood("hours"),
            "How much?": understood("price"),
            "A human!": understood("human"),
            "restart": understood("hours"),
        }
        stub.rules = {"hours": ["utter_moment", "utter_hours"]}
        yield stub


class Desk:
    """A rig whose inquiries are made one after the other, when the test says so."""

    def __init__(self, rig: Rig, rasa: RasaStub, designer: dict[str, Any]) -> None:
        self.rig = rig
        self.rasa = rasa
        self._designer = HandoffSettings.model_validate(designer)

    def asks(self, *, seconds: float = 5.0) -> BotAnswered:
        """Claim the next inquiry, and make it, with all its steps; its result is taken."""
        self.claim()
        result = self.steps(seconds=seconds)
        while any(step.step is InquiryStep.SAY for _, step in self.rig.senders.inquired):
            result = self.steps(seconds=seconds)
        return result

    def steps(self, *, seconds: float = 5.0) -> BotAnswered:
        """Make one step of an inquiry that was claimed."""
        update, inquiry = self.rig.senders.inquired.pop(0)
        results: list[Command] = []
        settings = BridgeSettings.model_validate(
            {
                "gateway": {"url": "http://127.0.0.1:9"},
                "reader": {
                    "answer_timeout": seconds,
                    "turn_timeout": seconds,
                    "channel_token": TOKEN,
                },
            }
        )
        client = Rasa(RasaSettings(url=self.rasa.url))
        sender = QuestionSender(client, settings, self._designer, None, results.append)
        sender.ask(update, inquiry)
        while not results:
            sender.close()
        client.close()
        (result,) = results
        assert isinstance(result, BotAnswered)
        self.rig.core.put(result)
        self.rig.step()
        return result

    def claim(self) -> None:
        self.rig.step(3)

    def tells(self) -> None:
        """Let Rasa take what it is told."""
        self.claim()
        for update, _ in self.rig.senders.told:
            self.rig.core.put(UpdateResult(update=update))
        self.rig.senders.told.clear()
        self.claim()

    def writes(self, text: str, number: int = 1) -> None:
        self.rig.do(ReadMessage(text=text, message_id=f"m-{number}"))

    def updates(self, kind: UpdateKind) -> list[RasaUpdate]:
        found = self.rig.store.read(
            lambda tx: [
                *lists.updates_of_call(tx, "A"),
                *lists.updates_of_call(tx, readers.CALL),
            ]
        )
        return [each for each in found if each.kind is kind]

    @property
    def sent(self) -> list[str]:
        return [item.draft.content for item in self.rig.all()]

    @property
    def offered(self) -> list[str]:
        found = self.rig.store.read(lambda tx: lists.suggestions(tx, call_id="A", limit=50))
        return [item.text for _, item in found if item.state.value == "offered"]

    @property
    def note(self) -> tuple[str, str] | None:
        note = self.rig.record("A").bot_note
        return None if note is None else (note.kind, note.text)


def opened(
    make: Making, rasa: RasaStub, owner: Owner, designer: dict[str, Any] | None = None
) -> Desk:
    """A call that is read, of an agent or of the bot."""
    chosen = designer or DESIGNER
    rig = made(make, rasa, chosen)
    rig.assign("A", owner=owner)
    return Desk(rig, rasa, chosen)


def made(make: Making, rasa: RasaStub, designer: dict[str, Any], former: Rig | None = None) -> Rig:
    """A process of its own on the same database."""
    return make(
        chosen=rules(designer, rasa={"url": rasa.url}),
        planners={**PLANNERS, ReadMessage: read_message},
        clock=former.clock if former is not None else None,
    )


@pytest.fixture
def bots(make: Making, rasa: RasaStub) -> Desk:
    return opened(make, rasa, Owner.BOT)


@pytest.fixture
def agents(make: Making, rasa: RasaStub) -> Desk:
    return opened(make, rasa, Owner.AGENT)


# -- the bot owns the call -------------------------------------------------------------------------


def test_the_real_conversation_is_asked_and_its_answer_is_sent(bots: Desk) -> None:
    bots.writes("When?")
    bots.asks()
    assert bots.sent == ["One moment.", "From 9 to 5."]
    first, second = bots.rig.all()
    assert {first.origin, second.origin} == {Origin.BOT}
    assert (first.state, second.state) == (DeliveryState.SENDING, DeliveryState.WAITING)
    assert first.envelope.agent_id == "291"
    path, body = next(each for each in bots.rasa.asked if each[0].startswith("/webhooks"))
    assert path == "/webhooks/cc_bridge/webhook"
    assert (body["sender"], body["message"]) == (SENDER, "When?")
    place = bots.rasa.asked.index((path, body))
    assert bots.rasa.bearers[place] == f"Bearer {TOKEN}"
    # Rasa knows what was said.
    bots.rig.complete()
    bots.rig.complete()
    assert bots.updates(UpdateKind.WRITE_BACK) == []
    assert bots.offered == []


def test_its_messages_are_asked_in_order_one_at_a_time(bots: Desk) -> None:
    bots.writes("When?", 1)
    bots.writes("restart", 2)
    bots.claim()
    assert [inquiry.message_id for _, inquiry in bots.rig.senders.inquired] == ["m-1"]
    bots.asks()
    assert bots.asks().update.body["message_id"] == "m-2"
    assert len(bots.sent) == 4


def test_a_text_that_begins_with_a_slash_is_not_executed(bots: Desk) -> None:
    bots.writes("/restart")
    bots.asks()
    (body,) = bots.rasa.wait_for_request("/webhooks")
    assert body["message"] == "restart"


@pytest.mark.parametrize("died_at", [InquiryStep.ASK, InquiryStep.SAY])
def test_after_a_crash_the_message_is_put_once(
    make: Making, rasa: RasaStub, died_at: InquiryStep
) -> None:
    desk = opened(make, rasa, Owner.BOT)
    desk.writes("When?")
    desk.claim()
    if died_at is InquiryStep.SAY:
        desk.steps()
    ((update, inquiry),) = desk.rig.senders.inquired
    desk.rig.senders.inquired.clear()
    assert (inquiry.kind, inquiry.step) == (InquiryKind.CONVERSE, died_at)
    if died_at is InquiryStep.SAY:
        said(rasa, "When?", update)
    desk.rig.clock.move(61.0)  # the lease ends
    desk.rig = made(make, rasa, DESIGNER, desk.rig)
    desk.asks()
    assert desk.sent == ["One moment.", "From 9 to 5."]
    assert len(rasa.wait_for_request("/webhooks")) == 1


def said(rasa: RasaStub, text: str, update: RasaUpdate) -> None:
    """Rasa takes the message of an inquiry; nobody hears its answer."""
    client = Rasa(RasaSettings(url=rasa.url))
    client.say(SENDER, text, {"cc_bridge_update": update.id})
    client.close()


def test_an_empty_answer_is_told_to_the_agent_only(bots: Desk) -> None:
    bots.rasa.rules["hours"] = []
    bots.writes("When?")
    bots.asks()
    assert bots.note == ("empty", "The bot has no answer to this message.")
    assert bots.sent == []


def test_an_answer_comes_too_late_for_an_agent_who_has_taken_over(bots: Desk) -> None:
    bots.writes("When?")
    bots.claim()
    bots.steps()
    bots.rig.assign("A", owner=Owner.AGENT)  # while the bot is at it
    bots.steps()
    assert (bots.sent, bots.offered) == ([], ["One moment.\nFrom 9 to 5."])


def test_a_trigger_gives_the_call_to_the_agent(bots: Desk) -> None:
    bots.writes("A human!")
    bots.asks()
    record = bots.rig.record("A")
    assert (record.owner, record.handed_off_at) == (Owner.AGENT, NOW)
    assert bots.sent == ["Anna takes over now."]
    assert "/webhooks" not in str(bots.rasa.asked)
    (update,) = bots.updates(UpdateKind.WRITE_BACK)
    assert (update.body["said_by"], update.body["text"]) == ("customer", "A human!")
    card = bots.rig.store.read(lambda tx: lists.card(tx, "A"))
    assert card is not None
    assert card.reason.startswith("intent human")
    assert [line.text for line in card.turns] == ["A human!"]


def test_fallbacks_in_a_row_are_counted_over_the_conversation(bots: Desk) -> None:
    missed = {
        "event": "user",
        "text": "?",
        "parse_data": {"intent": {"name": "nlu_fallback", "confidence": 0.3}},
    }
    bots.rasa.trackers[SENDER] = [missed, {"event": "action", "name": "action_listen"}] * 2
    bots.writes("Hm?")
    bots.asks()
    assert bots.rig.record("A").owner is Owner.AGENT


@pytest.mark.parametrize(
    ("transfer", "target"),
    [({"skill": "12"}, {"skill": "12"}), ({"agent_id": "307"}, {"agent": "307"})],
)
def test_a_bot_agents_call_is_transferred_by_the_gateway(
    make: Making, rasa: RasaStub, transfer: dict[str, str], target: dict[str, str]
) -> None:
    desk = bot_agent(make, rasa, transfer)
    wants_a_person(desk)
    assert desk.rig.senders.requested == []  # the customer is told first
    told = desk.rig.complete()
    assert told.delivery.draft.content == "Anna takes over now."
    assert told.delivery.envelope.agent_id == readers.BOT
    looks_again(desk)
    ((request, _, _),) = desk.rig.senders.requested
    assert (request.kind, request.body) == (CallRequestKind.TRANSFER, target)
    assert desk.rig.record(readers.CALL).owner is Owner.BOT
    card = desk.rig.store.read(lambda tx: lists.card(tx, readers.CALL))
    assert card is not None
    assert [line.text for line in card.turns] == ["A human!"]
    readers.finish(desk.rig, CallRequestKind.TRANSFER)
    assert desk.rig.record(readers.CALL).owner is Owner.BOT
    readers.hang_up(desk.rig, agent=readers.BOT)
    assert desk.rig.record(readers.CALL).assignment.agent_id == transfer.get(
        "agent_id", readers.BOT
    )
    assert desk.sent == ["Anna takes over now."]
    again = desk.rig.store.read(lambda tx: lists.card(tx, readers.CALL))
    assert again == card  # for whoever gets the call


def test_a_transfer_does_not_wait_for_ever_for_what_is_said_before(
    make: Making, rasa: RasaStub
) -> None:
    desk = bot_agent(make, rasa, {"skill": "12"})
    wants_a_person(desk)
    for _ in range(40):
        looks_again(desk)
    assert readers.asked(desk.rig) == ["transfer"]


def test_where_nothing_is_said_the_transfer_is_asked_at_once(make: Making, rasa: RasaStub) -> None:
    desk = bot_agent(make, rasa, {"skill": "12"}, say=None)
    wants_a_person(desk)
    assert (desk.sent, readers.asked(desk.rig)) == ([], ["transfer"])


@pytest.mark.parametrize("how", ["refused", "failed", "both"])
def test_when_the_transfer_fails_the_customer_is_told_once_and_the_bot_goes_on(
    make: Making, rasa: RasaStub, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    desk = bot_agent(make, rasa, {"skill": "12"}, say=None)
    wants_a_person(desk)
    if how == "failed":
        readers.finish(desk.rig, CallRequestKind.TRANSFER)
    else:
        readers.finish(desk.rig, CallRequestKind.TRANSFER, FinalError("no", retcode="106-004"))
    if how != "refused":
        failed = {"callId": readers.CALL}
        readers.hear(desk.rig, "AgentChat_TransferFailed", failed, agent=readers.BOT)
    (told,) = desk.rig.all()
    assert (told.draft.content, told.origin) == ("Nobody is there.", Origin.HANDOFF)
    assert told.envelope.agent_id == readers.BOT
    record = desk.rig.record(readers.CALL)
    assert (record.open, record.owner) == (True, Owner.BOT)
    assert record.bot_note is not None
    assert record.bot_note.kind == "unavailable"
    logged = [each for each in caplog.records if "cannot be handed over" in each.getMessage()]
    assert len(logged) == 1
    metrics, _ = desk.rig.core.render_metrics("", version="1")
    assert 'cc_bridge_handoffs_total{outcome="not_transferred"} 1.0' in metrics.decode()
    # The bot answers the next message, and a later wish is one of its own.
    desk.rig.complete()
    desk.tells()  # what the customer wrote
    desk.tells()  # what they were told
    readers.write(desk.rig, "When?", agent=readers.BOT)
    desk.asks()
    assert desk.sent[1:] == ["One moment.", "From 9 to 5."]


def test_a_second_wish_for_a_person_joins_the_transfer_of_the_first(
    make: Making, rasa: RasaStub
) -> None:
    desk = bot_agent(make, rasa, {"skill": "12"})
    wants_a_person(desk)
    desk.rig.complete()
    looks_again(desk)
    readers.finish(desk.rig, CallRequestKind.TRANSFER)
    desk.tells()  # what the customer wrote
    desk.tells()  # what the bot agent said
    wants_a_person(desk)
    assert (desk.sent, readers.asked(desk.rig)) == (["Anna takes over now."], [])
    # The gateway has accepted the transfer, and nothing comes of it.
    desk.tells()
    desk.rig.clock.move(61.0)
    desk.claim()
    assert desk.sent == ["Anna takes over now.", "Nobody is there."]
    note = desk.rig.record(readers.CALL).bot_note
    assert note is not None
    assert note.kind == "unavailable"
    assert readers.the_call(desk.rig, agent=readers.BOT).transfer_to is None


def test_a_call_that_comes_back_to_a_bot_agent_is_not_transferred_twice(
    make: Making, rasa: RasaStub, caplog: pytest.LogCaptureFixture
) -> None:
    desk = bot_agent(make, rasa, {"skill": "12"}, say=None)
    wants_a_person(desk)
    readers.finish(desk.rig, CallRequestKind.TRANSFER)
    readers.hang_up(desk.rig, agent=readers.BOT)
    desk.tells()
    desk.rig.clock.move(100.0)
    readers.ring(desk.rig, agent=readers.BOT)
    readers.finish(desk.rig, CallRequestKind.ANSWER)  # whose it is is known
    assert desk.sent == ["Nobody is there."]  # at once
    rests = desk.rig.record(readers.CALL)
    assert rests.alerted_at == desk.rig.clock.now()
    assert rests.bot_note is not None
    assert rests.bot_note.kind == "unavailable"
    assert "cannot be handed over" in caplog.text
    assert readers.the_call(desk.rig, agent=readers.BOT).apology is None
    wants_a_person(desk)
    assert desk.rig.senders.asked == []
    assert readers.asked(desk.rig) == []
    assert {item.origin for item in desk.rig.all()} == {Origin.HANDOFF}


def test_a_call_that_a_person_has_answered_comes_back_without_an_apology(
    make: Making, rasa: RasaStub
) -> None:
    desk = bot_agent(make, rasa, {"skill": "12"}, say=None)
    readers.sign_in(desk.rig, readers.READER)
    wants_a_person(desk)
    readers.finish(desk.rig, CallRequestKind.TRANSFER)
    readers.hang_up(desk.rig, agent=readers.BOT)
    desk.rig.clock.move(1.0)
    readers.ring(desk.rig)
    readers.finish(desk.rig, CallRequestKind.ANSWER)
    readers.hang_up(desk.rig)
    desk.rig.clock.move(1.0)
    readers.ring(desk.rig, agent=readers.BOT)
    readers.finish(desk.rig, CallRequestKind.ANSWER)
    assert desk.sent == []
    assert desk.rig.record(readers.CALL).alerted_at is None


def wants_a_person(desk: Desk) -> None:
    """The customer of the bot agent asks for a person."""
    readers.write(desk.rig, "A human!", agent=readers.BOT)
    desk.asks()
    desk.claim()


def looks_again(desk: Desk) -> None:
    desk.rig.clock.move(0.3)
    desk.claim()


def bot_agent(
    make: Making, rasa: RasaStub, transfer: dict[str, str] | None, **handoff: Any
) -> Desk:
    """A chat that a bot agent has answered."""
    chosen = {**DESIGNER["handoff"], "transfer": transfer, **handoff}
    designer = {**DESIGNER, "handoff": chosen}
    bot = {**readers.SIGN_IN, "owner": "bot"}
    agents = {readers.BOT: bot, readers.READER: readers.SIGN_IN, "*": {}}
    rig = make(chosen=rules(designer, agents=agents, rasa={"url": rasa.url}))
    readers.sign_in(rig, readers.BOT)
    readers.answered(rig, agent=readers.BOT)
    return Desk(rig, rasa, designer)


# -- an agent owns the call ------------------------------------------------------------------------


def test_what_the_customer_wrote_is_written_back_after_the_bot_was_asked(agents: Desk) -> None:
    agents.writes("When?")
    assert agents.rig.senders.told == []
    agents.asks()
    assert agents.offered == ["One moment.\nFrom 9 to 5."]
    agents.claim()
    ((update, (event,)),) = agents.rig.senders.told
    assert update.kind is UpdateKind.WRITE_BACK
    assert (event["event"], event["text"]) == ("user", "When?")
    assert event["metadata"]["cc_bridge"] == {"said_by": "customer"}
    assert event["parse_data"]["intent"] == {}


def test_auto_answers_what_is_read(make: Making, rasa: RasaStub) -> None:
    auto = {"mode": "auto", "auto": {"intents": ["price", "hours"], "typing": "ignored"}}
    desk = opened(make, rasa, Owner.AGENT, {"assist": {**DESIGNER["assist"], **auto}})
    desk.writes("How much?")
    desk.asks()
    assert (desk.sent, desk.offered) == (["24 euros."], [])
    assert [item.origin for item in desk.rig.all()] == [Origin.AUTO]
    desk.tells()
    desk.rig.clock.move(1.0)
    desk.rasa.rules["hours"] = ["utter_moment", "action_order"]
    desk.writes("When?", 2)
    desk.asks()  # part of an answer is for the agent to judge
    assert (len(desk.sent), desk.offered) == (1, ["One moment."])
    assert desk.note == ("action", "The bot would now run action_order.")


def test_a_conversation_that_begins_has_the_domains_initial_slots(
    make: Making, rasa: RasaStub
) -> None:
    assist = {"when": [{"intent": "hours", "slot": "segment", "is": "private"}]}
    rasa.domain["slots"] = {
        "name": {"type": "text", "initial_value": "dear customer"},
        "segment": {"type": "text", "initial_value": "private"},
        "city": {"type": "text", "initial_value": None},
    }
    private = {"type": "slot", "name": "segment", "value": "private"}
    rasa.domain["responses"]["utter_hours"] = [
        {"text": "Closed.", "condition": [{**private, "value": "business"}]},
        {"text": "From 9 to 5, {name}.", "condition": [private]},
    ]
    rasa.rules["hours"] = ["utter_hours"]
    desk = opened(make, rasa, Owner.AGENT, {"assist": assist})
    desk.writes("When?")
    desk.asks()
    assert desk.offered == ["From 9 to 5, dear customer."]
    assert SENDER not in rasa.trackers  # nothing was begun


def test_handed_back_meanwhile_nothing_is_suggested(agents: Desk) -> None:
    agents.writes("When?")
    agents.claim()
    agents.rig.do(HandBackCall(call_id="A", agent_id=None))
    agents.asks()
    assert (agents.offered, agents.sent) == ([], [])


# -- a Rasa that fails -----------------------------------------------------------------------------


FAILURES = ["html", "500", "cut", "drop_after", "hold", "null", "away"]


def passes(rasa: RasaStub, fate: str, number: int = 40) -> None:
    """Let the next requests fail."""
    rasa.failures = ["hold" if fate == "away" else fate] * number


@pytest.mark.parametrize("fate", FAILURES)
@pytest.mark.parametrize("owner", Owner)
def test_what_has_no_side_effect_is_repeated_until_it_succeeds(
    make: Making, rasa: RasaStub, owner: Owner, fate: str
) -> None:
    desk = opened(make, rasa, owner)
    desk.writes("When?")
    passes(rasa, fate)
    pauses: list[float] = []
    for _ in range(6):
        desk.asks(seconds=0.1)
        (inquiry,) = desk.updates(UpdateKind.INQUIRY)
        assert inquiry.state is UpdateState.WAITING
        assert desk.note is not None
        assert desk.note[1].startswith("The bot has not answered yet: ")
        pauses.append(inquiry.due_at - desk.rig.clock.now())
        desk.rig.clock.move(pauses[-1])
    longest = [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert all(most / 2 <= each <= most for each, most in zip(pauses, longest, strict=True))
    rasa.failures = []
    desk.asks()
    answer = ["One moment.", "From 9 to 5."]
    if owner is Owner.BOT:
        assert desk.sent == answer
        assert len(rasa.wait_for_request("/webhooks")) == 1
    else:
        assert desk.offered == ["\n".join(answer)]
    assert desk.note is None


@pytest.mark.parametrize("fate", ["html", "500", "cut", "drop_after", "hold"])
def test_what_may_have_been_put_is_looked_for_and_never_put_again(bots: Desk, fate: str) -> None:
    bots.rasa.failures = ["", "", "", fate]  # of the message itself
    bots.writes("When?")
    bots.asks(seconds=0.5)
    assert bots.sent == []
    (update,) = bots.updates(UpdateKind.INQUIRY)
    for _ in range(8):  # Rasa is still at it
        bots.rig.clock.move(6.0)
        if fate == "drop_after":
            break
        assert bots.asks().update.body["step"] == "look"
    if fate != "drop_after":
        said(bots.rasa, "When?", update)
        bots.rig.clock.move(6.0)
    put = len(bots.rasa.wait_for_request("/webhooks"))
    bots.asks()
    bots.claim()
    assert bots.sent == ["One moment.", "From 9 to 5."]
    assert len(bots.rasa.wait_for_request("/webhooks")) == put
    heard = [each for each in bots.rasa.events(SENDER) if each["event"] == "user"]
    assert len(heard) == 1
    assert bots.updates(UpdateKind.WRITE_BACK) == []


def test_a_turn_of_which_rasa_has_stored_the_message_only_is_awaited(bots: Desk) -> None:
    bots.rasa.failures = ["", "", "", "500"]
    bots.writes("When?")
    bots.asks()
    (update,) = bots.updates(UpdateKind.INQUIRY)
    heard = {"event": "user", "text": "When?", "metadata": {"cc_bridge_update": update.id}}
    bots.rasa.trackers[SENDER] = [heard]
    bots.rig.clock.move(6.0)
    bots.asks()
    assert (bots.sent, bots.updates(UpdateKind.INQUIRY)[0].state) == ([], UpdateState.WAITING)


def test_what_rasa_refuses_is_put_again(bots: Desk) -> None:
    bots.rasa.failures = ["", "", "", "403"]
    bots.writes("When?")
    bots.asks()
    assert bots.sent == []
    bots.rig.clock.move(6.0)
    bots.asks()
    assert bots.sent == ["One moment.", "From 9 to 5."]


def expires(desk: Desk) -> None:
    """Let Rasa fail until the inquiry's time is over."""
    for _ in range(60):
        desk.claim()
        if desk.rig.senders.inquired:
            desk.asks(seconds=0.1)
        if all(each.settled_at for each in desk.updates(UpdateKind.INQUIRY)):
            return
        desk.rig.clock.move(3.0)
    raise AssertionError(desk.updates(UpdateKind.INQUIRY))


@pytest.mark.parametrize("failing", [["500"] * 90, ["", "", "", *["500"] * 90]])
def test_the_call_of_a_bot_that_does_not_answer_goes_to_its_agent(
    make: Making, rasa: RasaStub, failing: list[str]
) -> None:
    desk = opened(make, rasa, Owner.BOT, {**DESIGNER, "handoff": {"alert_after": 60}})
    desk.writes("When?")
    rasa.failures = list(failing)
    expires(desk)
    record = desk.rig.record("A")
    now = desk.rig.clock.now()
    assert (record.owner, record.handed_off_at, record.alert_at) == (Owner.AGENT, now, now + 60)
    assert NOW + 120 <= now < NOW + 130
    assert desk.note is not None
    assert desk.note[0] == "failed"
    assert desk.note[1].startswith("The bot did not answer: ")
    card = desk.rig.store.read(lambda tx: lists.card(tx, "A"))
    assert card is not None
    assert (card.reason, [line.text for line in card.turns]) == (
        "the bot does not answer",
        ["When?"],
    )
    assert len(desk.sent) == 1
    # Rasa learns what the customer wrote, and what was said.
    desk.rig.complete()
    words, said_back = desk.updates(UpdateKind.WRITE_BACK)
    assert words.body["text"] == "When?"
    assert said_back.body["text"] == desk.sent[0]


@pytest.mark.parametrize("transfer", [{"skill": "12"}, None])
def test_the_call_of_a_bot_agent_that_does_not_answer_is_transferred_or_the_customer_told(
    make: Making, rasa: RasaStub, transfer: dict[str, str] | None
) -> None:
    desk = bot_agent(make, rasa, transfer)
    readers.write(desk.rig, "When?", agent=readers.BOT)
    readers.write(desk.rig, "Hello?", agent=readers.BOT)
    rasa.failures = ["500"] * 90
    expires(desk)
    assert len(desk.sent) == 1  # once for both messages
    desk.rig.complete()
    desk.rig.clock.move(1.0)
    desk.rig.step(3)
    note = desk.rig.record(readers.CALL).bot_note
    assert note is not None
    if transfer is None:
        assert (note.kind, readers.asked(desk.rig)) == ("unavailable", [])
    else:
        assert (note.kind, readers.asked(desk.rig)) == ("failed", ["transfer"])
    written = [each.body["text"] for each in desk.updates(UpdateKind.WRITE_BACK)]
    assert sorted(written) == sorted(["When?", "Hello?", *desk.sent])


def test_what_waits_behind_another_update_is_given_up_in_time(bots: Desk) -> None:
    bots.rig.assign("A", owner=Owner.AGENT)
    bots.rig.do(reply("A", "From 9."))
    bots.rig.complete()
    bots.claim()
    assert len(bots.rig.senders.told) == 1  # and Rasa does not answer
    bots.rig.do(HandBackCall(call_id="A", agent_id=None))
    bots.writes("When?")
    bots.rig.clock.move(121.0)
    bots.rig.step(3)
    bots.rig.clock.move(5.0)
    bots.rig.step(3)
    assert bots.rig.senders.inquired == []
    assert bots.rig.record("A").owner is Owner.AGENT


def test_what_the_customer_wrote_before_an_agent_took_over_is_written_back_once(
    make: Making, rasa: RasaStub
) -> None:
    desk = opened(make, rasa, Owner.BOT)
    desk.writes("When?")
    rasa.failures = ["500"]
    desk.asks()
    desk.rig.assign("A", owner=Owner.AGENT)
    desk.rig.clock.move(6.0)
    desk.claim()
    ((update, (event,)),) = desk.rig.senders.told
    assert (event["event"], event["text"]) == ("user", "When?")
    assert "asked_as" not in update.body
    assert desk.rig.senders.inquired == []


@pytest.mark.parametrize("stored", [True, False])
def test_what_may_have_been_put_is_not_written_back_twice(
    make: Making, rasa: RasaStub, *, stored: bool
) -> None:
    desk = opened(make, rasa, Owner.BOT)
    desk.writes("When?")
    rasa.failures = ["", "", "", "500"]
    desk.asks()
    (inquiry,) = desk.updates(UpdateKind.INQUIRY)
    desk.rig.assign("A", owner=Owner.AGENT)
    if stored:
        said(rasa, "When?", inquiry)
    desk.rig.clock.move(6.0)
    desk.claim()
    results: list[Command] = []
    client = Rasa(RasaSettings(url=rasa.url))
    sender = RasaSender(client, results.append)
    for update, events in desk.rig.senders.told:
        sender.send(update, events)
    sender.close()
    client.close()
    assert [each.error for each in results if isinstance(each, UpdateResult)] == [None]
    heard = [each for each in rasa.events(SENDER) if each["event"] == "user"]
    assert [each["text"] for each in heard] == ["When?"]


def test_what_the_agent_has_answered_is_not_asked_any_more(agents: Desk) -> None:
    agents.writes("When?")
    agents.rig.do(reply("A", "From 9."))
    agents.rig.complete()
    agents.claim()
    assert (agents.rig.senders.inquired, agents.offered) == ([], [])
    ((_, (event,)),) = agents.rig.senders.told  # in order: the agent's words follow
    assert event["text"] == "When?"
