"""The bridges of the stage: action servers of different designers and operators, for one Rasa.

Each signs in an agent of its own and has a database of its own; they share Rasa and the gateway.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.e2e import programs
from tests.e2e.programs import Program, eventually, free_port

JsonObject = dict[str, Any]

PASSWORD = "the-password-of-the-agents"
API_TOKEN = "the-token-of-the-platform-0123456789"
WEBHOOK_TOKEN = "the-token-that-rasa-sends-0123456789"
RASA_TOKEN = "the-token-of-rasa-0123456789abcdefgh"
SECRET = "the-secret-that-signs-assignments-0123456789"
INBOX_SECRET = "the-secret-that-signs-agents-tokens-0123456789"

COOLDOWN = 0.5  # seconds, of the hasty bridge
READER = "305"  # the agent whose events the asking bridge reads
ANSWER_SECONDS = 60.0  # for a machine that is busy with something else
_LOG_SECONDS = 20.0

_ASSIST_RULES = [
    {"intent": "ask_hours", "reply": "utter_hours"},
    {"intent": "ask_parking", "reply": "utter_parking"},
    {"intent": "ask_dish"},
]


@dataclass(frozen=True)
class Setup:
    """What makes one bridge another than the next."""

    name: str
    agent: str  # whom it signs in
    designers: JsonObject = field(default_factory=dict)
    operators: JsonObject = field(default_factory=dict)
    reader: str | None = None  # whose events it reads besides

    @property
    def agents(self) -> tuple[str, ...]:
        """Everybody whom it signs in."""
        return (self.agent,) if self.reader is None else (self.agent, self.reader)


# The bot falls silent when an agent takes over.
PAUSING = Setup(
    "pausing",
    "291",
    {"handoff": {"card": {"slots": ["party_size"]}}, "assist": {"when": _ASSIST_RULES}},
)
# The bot goes on, and helps the agent.
ASSISTING = Setup(
    "assisting", "292", {"handoff": {"then": "assist"}, "assist": {"when": _ASSIST_RULES}}
)
# The same, where the front end drops what Rasa replies while an agent has the conversation, and
# where to park is told without asking the agent.
SILENT = Setup(
    "silent",
    "293",
    {
        "handoff": {"then": "assist"},
        "assist": {
            "when": _ASSIST_RULES,
            "mode": "auto",
            # Keywords have no runner-up.
            "auto": {"intents": ["ask_parking"], "min_margin": 0, "typing": "ignored"},
        },
    },
    {"rasa": {"replies": "silent"}},
)
# It promises before it knows, soon gives up, and soon forgets a handback; Rasa has to be quick.
HASTY = Setup(
    "hasty",
    "294",
    {"handoff": {"cooldown": COOLDOWN}},
    {"delivery": {"wait": 0.2, "expire_after": 2}, "rasa": {"timeout": 1}},
)
# It asks the bot about messages that Rasa does not see; the form may be run for that. It reads the
# events of one of its agents.
ASKING = Setup(
    "asking",
    "295",
    {
        "assist": {
            "when": [
                {"intent": "greet"},
                {"intent": "goodbye"},
                {"intent": "ask_price"},
                {"intent": "ask_hours", "reply": "utter_hours"},
                {"intent": "ask_dish"},
                {"intent": "ask_weather"},
                {"intent": "booking"},
            ],
            "actions": ["booking_form"],
        }
    },
    {"reader": {"channel": "rest"}},
    reader=READER,
)
ALL = (PAUSING, ASSISTING, SILENT, HASTY, ASKING)


@dataclass(frozen=True)
class Bridge:
    """One action server at work."""

    agent: str
    url: str
    program: Program

    def ask(
        self, method: str, path: str, body: object = None, *, token: str = API_TOKEN
    ) -> JsonObject:
        """Ask its API, as a system of the platform unless another's token is given."""
        reply = self._asked(method, path, body, token)
        assert reply.ok, f"{method} {path}: {reply.status_code} {reply.text}"
        answer: JsonObject = reply.json() if reply.content else {}
        return answer

    def refusal(
        self, method: str, path: str, body: object = None, *, token: str = API_TOKEN
    ) -> tuple[int, str]:
        """The status and the code with which the API refuses something."""
        reply = self._asked(method, path, body, token)
        assert not reply.ok, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.status_code, reply.json()["error"]["code"]

    def _asked(self, method: str, path: str, body: object, token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.url}/bridge{path}"
        return programs.ask(method, url, ANSWER_SECONDS, json=body, headers=headers)

    def logs(self, *words: str) -> None:
        """Wait until a line of its log holds all these words.

        Raises:
            AssertionError: none does.
        """

        def said() -> bool:
            lines = self.program.log().splitlines()
            return any(all(word in line for word in words) for line in lines)

        assert eventually(said, _LOG_SECONDS), words


def started(setup: Setup, folder: Path, gateway_url: str, rasa_url: str) -> Bridge:
    """Start a bridge in a folder of its own; it is not ready yet."""
    home = folder / setup.name
    _configure(setup, home / "config", gateway_url, rasa_url)
    port = free_port()
    command = [sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", str(port)]
    changes = {"SANIC_HOST": "127.0.0.1", "BRIDGE_CONFIG": str(home / "config")}
    program = Program(f"{setup.name}-bridge", command, home, changes)
    return Bridge(setup.agent, f"http://127.0.0.1:{port}", program)


def _configure(setup: Setup, folder: Path, gateway_url: str, rasa_url: str) -> None:
    """The two files that operators and designers write; JSON is YAML."""
    operators: JsonObject = {
        "gateway": {"url": gateway_url},
        "agents": {
            agent: {
                "session": "sign_in",
                "password": PASSWORD,
                "phone": agent,
                "nickname": "Anna",
                "reader": agent == setup.reader,
            }
            for agent in setup.agents
        },
        "channel_config_ids": {"WEB": "202301032048582419"},
        "storage": {"url": f"sqlite:///{folder.parent / 'bridge.db'}"},
        "delivery": {"wait": 20},  # what is delivered in the end is, on a busy machine too
        "assignment": {"metadata": "signed", "secret": SECRET},
        "api": {"token": API_TOKEN, "inbox_secret": INBOX_SECRET},
        "rasa": {
            "url": rasa_url,
            "token": RASA_TOKEN,
            "webhook_token": WEBHOOK_TOKEN,
            "timeout": 2,
        },
    }
    for section, changes in setup.operators.items():
        operators[section] = {**operators.get(section, {}), **changes}
    folder.mkdir(parents=True)
    (folder / "bridge.yml").write_text(json.dumps(operators))
    (folder / "handoff.yml").write_text(json.dumps(setup.designers))
