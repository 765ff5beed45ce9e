"""What the bot would say goes to the agent first, and to the customer in the agent's name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bridge.errors import RefusedError
from bridge.model import DeliveryState, Mode, Suggestion
from tests.gateway.rig import until
from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import ASSIGNMENT, RESPONSES, Answered, Office, message
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.both_engines

CALL = ASSIGNMENT["call_id"]
PRICES: dict[str, Any] = {
    "responses": {**RESPONSES, "utter_price": [{"text": "{name}, it costs 10 EUR."}]}
}
RULES: dict[str, Any] = {
    "handoff": {"then": "assist"},
    "assist": {
        "when": [
            {"intent": "ask_price", "reply": "utter_price"},
            {"intent": "faq", "reply": "response_selector"},
            {"intent": "other"},
        ],
        "auto": {
            "intents": ["ask_price"],
            "min_confidence": 0.9,
            "min_margin": 0.3,
            "typing": "ignored",
        },
    },
}


def ask(number: int = 2, *, intent: str = "ask_price", confidence: float = 0.95) -> dict[str, Any]:
    return message("What is it?", intent=intent, confidence=confidence, number=number)


def price(
    office: Office, state: dict[str, Any] | None = None, action: str = "action_bridge"
) -> Answered:
    return office.call(state or ask(), action, domain=PRICES)


def offered(office: Office, state: str = "offered") -> list[Suggestion]:
    page = office.runtime.suggestions.listing(
        call_id=CALL, state=state, agent_id=None, cursor=None, limit=50
    )
    return list(page.items)


@pytest.fixture
def assisted(open_office: OpenOffice, gateway: Simulator) -> Office:
    """A conversation that agent 291 has, with the bot as an assistant."""
    office = open_office(RULES)
    office.assign()
    office.call(message())
    gateway.wait_for(messages=1)
    return office


@pytest.mark.parametrize("action", ["action_bridge", "action_agent_assist"])
def test_an_answer_becomes_a_suggestion_and_nothing_goes_out(
    assisted: Office, gateway: Simulator, action: str
) -> None:
    answered = price(assisted, action=action)
    assert (answered.events, answered.messages) == ([], [])
    found = offered(assisted)
    assert [item.text for item in found] == ["Maria, it costs 10 EUR."]
    assert found[0].source.intent == "ask_price"
    assert found[0].source.response == "utter_price"
    assert found[0].source.confidence == 0.95
    assert found[0].agent_id == "291"
    assert len(gateway.messages()) == 1


def test_accepted_it_goes_out_as_it_is(assisted: Office, gateway: Simulator) -> None:
    price(assisted)
    found = offered(assisted)[0]
    settled, sent = assisted.accept(found)
    assert settled.state.value == "accepted"
    assert settled.settled_by == "291"
    assert [item.approved_by for item in sent] == ["291"]
    assert gateway.wait_for(messages=2)[1]["text"] == "Maria, it costs 10 EUR."


def test_edited_the_agents_words_replace_the_text_and_the_picture_stays(
    assisted: Office, gateway: Simulator
) -> None:
    picture = {"text": "This one.", "image": "https://shop.example/a.jpg"}
    assisted.call(ask(), domain={"responses": {"utter_price": [picture]}})
    found = offered(assisted)[0]
    settled, _ = assisted.accept(found, text="Better: <this> & that")
    assert settled.state.value == "edited"
    assert settled.edited_text == "Better: <this> & that"
    sent = gateway.wait_for(messages=3)[1:]
    assert sent[0]["text"] == "Better: &lt;this&gt; &amp; that"
    assert "shop.example/a.jpg" in sent[1]["text"]


def test_two_clicks_at_once_make_one_delivery(assisted: Office, gateway: Simulator) -> None:
    price(assisted)
    found = offered(assisted)[0]

    def click(_: int) -> str:
        try:
            assisted.accept(found)
        except RefusedError as error:
            return f"{error.status} {error.code}"
        return "sent"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(click, range(8)))
    assert answers == ["409 settled"] * 7 + ["sent"]
    gateway.wait_for(messages=2)
    assert [item.state for item in assisted.deliveries()][1:] in (
        [DeliveryState.DELIVERED],
        [DeliveryState.SENDING],
    )


def test_a_newer_message_supersedes_and_the_stale_one_cannot_be_sent(assisted: Office) -> None:
    price(assisted)
    stale = offered(assisted)[0]
    price(assisted, ask(3))
    assert [item.id for item in offered(assisted, "superseded")] == [stale.id]
    with pytest.raises(RefusedError) as raised:
        assisted.accept(stale)
    assert raised.value.status == 409


def test_a_newer_message_that_calls_for_nothing_supersedes_too(assisted: Office) -> None:
    price(assisted)
    assisted.call(message("thanks", intent="thanks", number=3))
    assert offered(assisted) == []


def test_what_was_not_taken_in_time_is_shown_as_expired(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office({**RULES, "assist": {**RULES["assist"], "expire_after": 0.05}})
    office.assign(owner="agent")
    price(office)
    shown = office.runtime.suggestions
    (found,) = shown.listing(call_id=CALL, state=None, agent_id=None, cursor=None, limit=1).items
    while shown.get(found.id, own=None).state.value == "offered":
        gateway.state()  # time passes
    assert shown.get(found.id, own=None).state.value == "expired"
    with pytest.raises(RefusedError, match="expired already"):
        office.accept(found)
    assert offered(office) == []


def test_rejected_with_a_reason(assisted: Office, gateway: Simulator) -> None:
    price(assisted)
    found = offered(assisted)[0]
    settled = assisted.reject(found, reason="wrong price")
    assert (settled.state.value, settled.reason) == ("rejected", "wrong price")
    with pytest.raises(RefusedError, match="rejected already"):
        assisted.accept(found)
    assert len(gateway.messages()) == 1


def test_another_agents_suggestion_cannot_be_reached(assisted: Office) -> None:
    price(assisted)
    found = offered(assisted)[0]
    with pytest.raises(RefusedError) as raised:
        assisted.accept(found, agent_id="292")
    assert raised.value.status == 404


def test_reassignment_expires_what_is_offered(assisted: Office) -> None:
    price(assisted)
    assisted.assign(agent_id="292")
    assert [item.agent_id for item in offered(assisted, "expired")] == ["291"]


def test_candidates_of_the_selector_and_one_taken_supersedes_the_others(
    assisted: Office, gateway: Simulator
) -> None:
    state = ask(intent="faq")
    state["latest_message"]["response_selector"] = {
        "all_retrieval_intents": ["faq"],
        "faq": {
            "response": {"utter_action": "utter_faq/hours", "confidence": 0.8, "responses": []},
            "ranking": [
                {"intent_response_key": "faq/hours", "confidence": 0.8},
                {"intent_response_key": "faq/where", "confidence": 0.15},
            ],
        },
    }
    domain = {
        "responses": {
            "utter_faq/hours": [{"text": "9 to 5."}],
            "utter_faq/where": [{"text": "In Berlin."}],
        }
    }
    assisted.call(state, domain=domain)
    found = offered(assisted)
    assert [item.text for item in found] == ["9 to 5.", "In Berlin."]
    assert found[0].source.margin == pytest.approx(0.65)
    assisted.accept(found[1])
    assert offered(assisted) == []
    assert gateway.wait_for(messages=2)[1]["text"] == "In Berlin."


def test_the_bots_own_words_are_suggested_only_where_rasa_is_silent(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    state = ask(intent="other")
    state["events"] += [
        {"event": "action", "name": "utter_a", "timestamp": 2.0},
        {"event": "bot", "text": "First.", "data": {}, "metadata": {"utter_action": "utter_a"}},
        {"event": "bot", "text": "Second.", "data": {}, "metadata": {}},
    ]
    loud = open_office(RULES)
    loud.assign()
    loud.call(message())
    loud.call(state)
    assert offered(loud) == []
    silent = open_office(RULES, rasa={"replies": "silent"})
    state["latest_message"]["message_id"] = state["events"][1]["message_id"] = "x"
    silent.call(state)
    assert [item.text for item in offered(silent)] == ["First.\nSecond."]
    assert len(gateway.messages()) == 1


def test_the_owner_is_the_bot_so_rasa_says_it_itself(open_office: OpenOffice) -> None:
    office = open_office({**RULES, "assist": {**RULES["assist"], "mode": "off"}})
    for action in ("action_bridge", "action_agent_assist"):
        answered = price(office, action=action)
        assert [item["response"] for item in answered.messages] == ["utter_price"]
        assert answered.events == []


@pytest.mark.parametrize("ranking", [None, [], [{"name": "ask_price", "confidence": 0.97}]])
def test_auto_sends_nothing_where_no_runner_up_shows_a_margin(
    open_office: OpenOffice, gateway: Simulator, ranking: Any
) -> None:
    office = open_office({**RULES, "assist": {**RULES["assist"], "mode": "auto"}})
    office.assign()
    office.call(message())
    unsure = ask(2, confidence=0.97)
    unsure["latest_message"]["intent_ranking"] = ranking
    price(office, unsure)
    assert len(offered(office)) == 1
    assert [item["text"] for item in gateway.wait_for(messages=1)] == [
        "Maria, Anna takes over now."
    ]


def test_auto_sends_what_is_allowed_and_sure(open_office: OpenOffice, gateway: Simulator) -> None:
    office = open_office({**RULES, "assist": {**RULES["assist"], "mode": "auto"}})
    office.assign()
    office.call(message())
    price(office, ask(2, confidence=0.89))  # below the threshold
    assert len(offered(office)) == 1
    unsure = ask(3, confidence=0.95)
    unsure["latest_message"]["intent_ranking"] = [
        {"name": "ask_price", "confidence": 0.95},
        {"name": "order", "confidence": 0.80},
    ]
    price(office, unsure)
    assert len(offered(office)) == 1
    assert len(gateway.messages()) == 1
    price(office, ask(4, confidence=0.97))
    assert gateway.wait_for(messages=2)[1]["text"] == "Maria, it costs 10 EUR."
    assert [item.settled_by for item in offered(office, "accepted")] == ["auto"]
    assert offered(office) == []


def test_a_put_ceiling_holds_at_once_and_is_lifted(open_office: OpenOffice) -> None:
    office = open_office({**RULES, "assist": {**RULES["assist"], "mode": "auto"}})
    office.assign()
    office.call(message())
    office.put_ceiling(Mode.SUGGEST)
    assert office.runtime.suggestions.mode() is Mode.SUGGEST
    price(office)
    assert len(offered(office)) == 1
    office.put_ceiling(Mode.OFF)
    price(office, ask(3))
    assert offered(office) == []
    office.put_ceiling(None)
    assert office.runtime.suggestions.mode() is Mode.AUTO


def test_a_ceiling_is_no_floor(assisted: Office) -> None:
    assisted.put_ceiling(Mode.AUTO)
    assert assisted.runtime.suggestions.mode() is Mode.SUGGEST


def test_the_same_webhook_twice_is_one_suggestion(assisted: Office) -> None:
    state = ask()
    assert price(assisted, state) == price(assisted, state)
    assert len(offered(assisted)) == 1


def test_an_agent_writes_freely_once(assisted: Office, gateway: Simulator) -> None:
    first = assisted.reply("One moment, please.", "c-1")
    again = assisted.reply("One moment, please.", "c-1")
    assert [item.id for item in first] == [item.id for item in again]
    assert gateway.wait_for(messages=2)[1]["text"] == "One moment, please."
    with pytest.raises(RefusedError, match="another text") as raised:
        assisted.reply("Something else.", "c-1")
    assert raised.value.status == 409
    with pytest.raises(RefusedError) as raised:
        assisted.reply("Hello", "c-2", agent_id="292")
    assert raised.value.status == 404


def test_an_agent_cannot_write_while_the_bot_has_the_conversation(office: Office) -> None:
    with pytest.raises(RefusedError, match="the bot has") as raised:
        office.reply("Hello", "c-1")
    assert raised.value.status == 409


def test_too_much_that_waits_is_refused(open_office: OpenOffice, gateway: Simulator) -> None:
    office = open_office(RULES, delivery={"max_waiting_per_call": 3, "wait": 0})
    office.assign(owner="agent")
    gateway.fault("status", path="*sendmessage", status=503, times=None)

    def write_ten() -> None:
        for number in range(10):
            office.reply("Hello", f"c-{number}")

    with pytest.raises(RefusedError) as raised:
        write_ten()
    assert (raised.value.status, raised.value.code) == (429, "too_many_waiting")


def test_what_the_former_agent_had_still_to_say_is_offered_to_the_next(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office(RULES)
    office.assign(owner="agent")
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    words = "Your order & parcel have left."
    office.reply(words, "c-1")
    gateway.wait_for(requests=1, operation="send_message")
    until(lambda: office.deliveries()[0].state is DeliveryState.WAITING)
    office.assign(agent_id="292")
    found = [item for item in offered(office) if item.agent_id == "292"]
    assert [item.text for item in found] == [words]
    assert found[0].source.kind == "agent"


def test_a_person_retries_what_failed_and_discards_what_waits(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office(RULES)
    office.assign(owner="agent")
    gateway.fault("retcode", path="*sendmessage", retcode="106-001")
    sent = office.reply("Hello", "c-1")[0]
    gateway.wait_for(requests=1, operation="send_message")
    while not office.deliveries()[0].state.settled:
        gateway.wait_for(requests=1)
    assert office.deliveries()[0].state is DeliveryState.FAILED
    moved = office.retry(sent)
    assert moved.message_code == sent.message_code
    assert gateway.wait_for(messages=1)[0]["code"] == sent.message_code
    while not office.deliveries()[0].state.settled:
        gateway.wait_for(requests=1)
    for person in (office.retry, office.discard):
        with pytest.raises(RefusedError) as raised:
            person(sent)
        assert raised.value.status == 409
