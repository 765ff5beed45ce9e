"""The sample bot, as it is shipped and as its README runs it, in both of its languages.

Its folder is copied. Only what belongs to an installation is changed in the copy: the address of
the action server, and the channel of the customers that ``credentials.yml`` asks for.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import within
from tests.e2e import training
from tests.e2e.bridges import (
    API_TOKEN,
    INBOX_SECRET,
    PASSWORD,
    RASA_TOKEN,
    SECRET,
    WEBHOOK_TOKEN,
    Bridge,
    Setup,
)
from tests.e2e.harness import Customer, Stage
from tests.e2e.loopback import Loopback
from tests.e2e.programs import Program, free_port
from tests.e2e.relay import Relay
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.e2e

SHIPPED = Path(__file__).parents[2] / "examples" / "bot"
SAMPLE = Setup("sample", "291")
ADDRESS = "http://localhost:5055"  # of the action server, in endpoints.yml
ENVIRONMENT = {
    "RASA_TOKEN": RASA_TOKEN,
    "BRIDGE_WEBHOOK_TOKEN": WEBHOOK_TOKEN,
    "BRIDGE_ASSIGNMENT_SECRET": SECRET,
    "BRIDGE_API_TOKEN": API_TOKEN,
    "BRIDGE_INBOX_SECRET": INBOX_SECRET,
}
UNKNOWN = "xyzzy"

_SECONDS = 240.0  # for a machine that is busy with something else


@dataclass(frozen=True)
class Conversation:
    """What is said in one language."""

    choice: str
    chosen: str
    questions: dict[str, str]  # for the response selector, with their answers
    rent: str
    days_asked: str
    no_days: str
    days_refused: str
    days: str
    quote: str
    person: str
    connected: str
    rephrase: str
    hello: str
    greeting: str


ENGLISH = Conversation(
    choice="English, please",
    chosen="We go on in English.",
    questions={
        "What are your opening hours?": "The shop is open from 9 am to 7 pm, except on Sundays.",
        "Do I pay a deposit?": "The deposit is 50 euros, in cash or by card.",
    },
    rent="I would like to book a bicycle",
    days_asked="For how many days?",
    no_days="for a while",
    days_refused="Please give a number of days from 1 to 30.",
    days="3 days",
    quote="That is 54 euros. The bicycle waits for you at the shop.",
    person="I want to talk to a human",
    connected="You are now connected to a member of our team.",
    rephrase="Sorry, I did not get that. Could you say it in other words?",
    hello="Hello",
    greeting="Hello, this is the bicycle shop's bot. What can I do for you?",
)
GERMAN = Conversation(
    choice="Auf Deutsch, bitte",
    chosen="Wir machen auf Deutsch weiter.",
    questions={
        "Wie sind eure Öffnungszeiten?": "Der Laden ist von 9 bis 19 Uhr geöffnet, außer sonntags.",
        "Zahle ich eine Kaution?": "Die Kaution beträgt 50 Euro, bar oder mit Karte.",
    },
    rent="Ich möchte ein Rad mieten",
    days_asked="Für wie viele Tage?",
    no_days="eine Weile",
    days_refused="Bitte nennen Sie eine Zahl von 1 bis 30 Tagen.",
    days="3 Tage",
    quote="Das macht 54 Euro. Das Fahrrad steht im Laden für Sie bereit.",
    person="Ich möchte mit einem Menschen sprechen",
    connected="Sie sind jetzt mit unserem Team verbunden.",
    rephrase="Das habe ich leider nicht verstanden. Können Sie es anders sagen?",
    hello="Guten Tag",
    greeting="Hallo, hier ist der Bot des Fahrradladens. Was kann ich für Sie tun?",
)


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sample bot's folder, with nothing changed."""
    folder = tmp_path_factory.mktemp("sample") / "bot"
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def trained(bot: Path) -> Path:
    """The same folder, with a model."""
    _runs_to_the_end(bot, "train")
    return bot


@pytest.fixture(scope="module")
def stage(trained: Path) -> Iterator[Stage]:
    """The sample bot at work, with the bridge's actions and its own in one action server."""
    with _at_work(trained) as found:
        yield found


@pytest.fixture(params=[ENGLISH, GERMAN], ids=["English", "German"])
def conversation(request: pytest.FixtureRequest) -> Conversation:
    found: Conversation = request.param
    return found


@pytest.fixture
def customer(stage: Stage, conversation: Conversation) -> Customer:
    """Somebody who has chosen a language, and whose call agent 291 has at a desktop."""
    guid = stage.gateway.sign_in(SAMPLE.agent, force=True, password=PASSWORD)
    found = stage.customer(SAMPLE)
    found.bridge.ask("PUT", f"/sessions/{SAMPLE.agent}", {"guid": guid})
    found.is_assigned()
    assert found.says(conversation.choice) == [conversation.chosen]
    return found


def test_rasa_finds_it_valid(bot: Path) -> None:
    _runs_to_the_end(bot, "data", "validate")


def test_the_bridge_finds_nothing_wrong_with_it(bot: Path) -> None:
    ran = within(bot, "validate", "--strict", "--rules", "data", **ENVIRONMENT)
    assert (ran.code, ran.out) == (0, "The configuration is good.\n")


def test_rasa_trains_it(trained: Path) -> None:
    assert len(list(trained.glob("models/*.tar.gz"))) == 1


def test_the_response_selector_answers(customer: Customer, conversation: Conversation) -> None:
    answers = {question: customer.says(question) for question in conversation.questions}
    assert answers == {asked: [answer] for asked, answer in conversation.questions.items()}


def test_the_form_asks_and_the_bots_own_actions_check_and_calculate(
    customer: Customer, conversation: Conversation
) -> None:
    assert customer.says(conversation.rent) == [conversation.days_asked]
    refused = [conversation.days_refused, conversation.days_asked]
    assert customer.says(conversation.no_days) == refused
    assert customer.says(conversation.days) == [conversation.quote]
    assert [hook.status for hook in customer.webhooks("action_quote")] == [200]
    assert customer.tracker()["slots"]["price"] == "54"
    assert customer.messages() == []


def test_a_wish_for_a_person_is_handed_over_until_the_handback(
    customer: Customer, conversation: Conversation
) -> None:
    assert customer.says(conversation.person) == []
    (sent,) = customer.messages()
    assert conversation.connected in sent["text"]
    assert (sent["agent"], sent["userid"]) == (SAMPLE.agent, customer.sender_id)
    assert sent["data"]["senderNickname"] == "Agent"
    assert customer.call()["owner"] == "agent"
    assert customer.says(conversation.hello) == []
    customer.hands_back_in_the_end()
    assert customer.says(conversation.hello) == [conversation.greeting]
    assert len(customer.messages()) == 1


def test_a_form_in_which_a_person_was_asked_for_can_be_filled_after_the_handback(
    customer: Customer, conversation: Conversation
) -> None:
    assert customer.says(conversation.rent) == [conversation.days_asked]
    assert customer.says(conversation.person) == []
    (sent,) = customer.messages()
    assert conversation.connected in sent["text"]
    customer.hands_back_in_the_end()
    assert customer.says(conversation.rent) == [conversation.days_asked]
    assert customer.says(conversation.days) == [conversation.quote]


def test_explain_names_the_message_that_asked_for_a_person(
    customer: Customer, conversation: Conversation, bot: Path
) -> None:
    customer.says(conversation.rent)
    customer.says(conversation.days)
    customer.says(conversation.person)
    customer.hands_back_in_the_end()
    customer.says(conversation.hello)
    (message_id,) = _handed_over(customer, "action_human_handoff")
    assert _explained(customer, bot) == [message_id]


def test_explain_names_the_message_that_was_once_too_often_not_understood(
    customer: Customer, conversation: Conversation, bot: Path
) -> None:
    understood = [customer.says(UNKNOWN) for _ in range(3)]
    assert understood == [[conversation.rephrase], [conversation.rephrase], []]
    (sent,) = customer.messages()
    assert conversation.connected in sent["text"]
    (message_id,) = _handed_over(customer, "action_bridge")
    assert _explained(customer, bot) == [message_id]


def _handed_over(customer: Customer, action: str) -> list[str]:
    """The IDs of the messages upon which the action server handed over."""
    return [
        hook.payload["tracker"]["latest_message"]["message_id"]
        for hook in customer.webhooks(action)
        if ("handoff_state", "handoff") in _slots(hook.answer)
    ]


def _slots(answer: Any) -> list[tuple[Any, Any]]:
    """The slots that an action set, with their values."""
    return [(one["name"], one["value"]) for one in answer["events"] if one["event"] == "slot"]


def _explained(customer: Customer, bot: Path) -> list[str]:
    """The IDs of the messages for which ``cc-bridge explain`` says ``handoff``."""
    name = f"{customer.sender_id}.json"
    (bot / name).write_text(json.dumps(customer.tracker()), encoding="utf-8")
    ran = within(bot, "explain", name, "--json", **ENVIRONMENT)
    assert (ran.code, ran.err) == (0, "")
    return [turn["message_id"] for turn in json.loads(ran.out) if turn["decision"] == "handoff"]


def _runs_to_the_end(bot: Path, *command: str) -> None:
    """Run a command of Rasa in the bot's folder."""
    whole = [training.rasa_command(), *command, "--domain", "domain"]
    with Program("-".join(command), whole, bot, training.QUIET) as program:
        program.succeeds(_SECONDS)


@contextmanager
def _at_work(bot: Path) -> Iterator[Stage]:
    """Start the trained bot and its action server with the README's commands, on free ports."""
    rasa_port, port = free_port(), free_port()
    rasa_url, url = f"http://127.0.0.1:{rasa_port}", f"http://127.0.0.1:{port}"
    account = f"{SAMPLE.agent}:{PASSWORD}"
    with ExitStack() as everything:
        enter = everything.enter_context
        loopback = enter(Loopback())
        relay = enter(Relay(rasa_url))
        gateway = enter(Simulator("--poll-seconds", "1", "--agent", account))
        _install(bot, loopback.url)
        command = [training.rasa_command(), "run", "--enable-api", "--auth-token", RASA_TOKEN]
        command += ["--interface", "127.0.0.1", "--port", str(rasa_port)]
        rasa = enter(Program("rasa", command, bot, {**training.QUIET, **ENVIRONMENT}))
        command = [sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", str(port)]
        addresses = {"CC_GATEWAY_URL": gateway.url, "RASA_URL": relay.url}
        changes = {**ENVIRONMENT, **addresses, "SANIC_HOST": "127.0.0.1"}
        actions = enter(Program("actions", command, bot, changes))
        actions.answers(f"{url}/bridge/ready", _SECONDS)
        rasa.answers(f"{rasa_url}/status", _SECONDS, token=RASA_TOKEN)
        bridge = Bridge(SAMPLE.agent, url, actions)
        yield Stage(gateway, loopback, relay, {SAMPLE.name: bridge}, rasa_url, (actions, rasa))


def _install(bot: Path, action_server: str) -> None:
    """Name the action server's address, and add a channel for customers."""
    endpoints, credentials = bot / "endpoints.yml", bot / "credentials.yml"
    shipped = endpoints.read_text(encoding="utf-8")
    assert ADDRESS in shipped
    endpoints.write_text(shipped.replace(ADDRESS, action_server), encoding="utf-8")
    with credentials.open("a", encoding="utf-8") as file:
        file.write("rest:\n")
