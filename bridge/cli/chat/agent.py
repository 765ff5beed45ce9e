"""The agent's side: the calls of one agent at a running bridge, by its API and its stream."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import TypeAlias
from urllib.parse import quote, urlencode

from bridge.cli.chat.desk import Desk, OpenCall
from bridge.cli.chat.transcript import FAULT, ChatError, Inbox, Transcript, typed
from bridge.cli.peers import HttpAnswer, JsonObject, Peer, PeerError, StreamEvent

_AGAIN = 1.0  # seconds until a broken stream is opened again
_STILL_ASKED = 202
_HELP = (
    "Text is sent to the customer; a number sends that suggestion. /answer, /reject (the call) or"
    " /reject N (a suggestion), /transfer AGENT or /transfer skill N, /handback (to the bot),"
    " /leave (hang up), /calls, /open N, /say TEXT; Ctrl-D ends."
)

Item: TypeAlias = StreamEvent | PeerError | str | None  # the latter two are typed


class AgentChat:
    """The calls of one agent."""

    def __init__(self, bridge: Peer, transcript: Transcript, agent_id: str) -> None:
        self._bridge = bridge
        self._transcript = transcript
        self._agent_id = agent_id
        self._desk = Desk(agent_id, transcript)
        self._connected = True
        self._commands: dict[str, Callable[[str], None]] = {
            "answer": lambda _: self._act("answer"),
            "reject": self._reject,
            "transfer": self._transfer,
            "handback": lambda _: self._act("handback"),
            "leave": lambda _: self._act("release"),
            "say": self._say,
            "calls": lambda _: self._list(),
            "open": self._open,
            "help": lambda _: self._transcript.note(_HELP),
        }

    def run(self) -> None:
        """Show the agent's calls and do what is typed, until the end of the input.

        Raises:
            ChatError: there is no bridge, or it does not accept the token.
        """
        if self._bridge.token is None:
            raise ChatError(
                "A token is missing: set BRIDGE_API_TOKEN, or give --token, for example"
                f' --token "$(cc-bridge token --agent {self._agent_id})"'
            )
        self._begin()
        inbox: Inbox[Item] = Inbox()
        inbox.fill(self._stream)
        inbox.fill(typed)
        try:
            while (item := inbox.next()) is not None:
                self._take(item)
        except KeyboardInterrupt:
            return

    def _begin(self) -> None:
        try:
            reply = self._bridge.ask("GET", self._listing())
        except PeerError:
            raise ChatError(
                f"There is no bridge at {self._bridge.url}. Start the action server in another"
                " terminal: python -m rasa_sdk --actions actions"
            ) from None
        if not reply.ok:
            raise ChatError(f"The bridge at {self._bridge.url} refuses: {reply.fault}")
        self._transcript.note(f"You are agent {self._agent_id}. {_HELP}")

    def _stream(self) -> Iterator[Item]:
        while True:
            try:
                yield from self._bridge.follow("/bridge/stream")
            except PeerError as error:
                yield error
            time.sleep(_AGAIN)

    def _take(self, item: Item) -> None:
        try:
            if isinstance(item, PeerError):
                raise item
            if isinstance(item, StreamEvent):
                self._event(item)
            elif item is not None:
                self._typed(item.strip())
        except PeerError as error:
            if self._connected or isinstance(item, str):
                self._transcript.note(str(error), FAULT)
            self._connected = self._connected and isinstance(item, str)

    def _event(self, event: StreamEvent) -> None:
        shows: dict[str, Callable[[JsonObject], None]] = {
            "call": self._call,
            "message": self._desk.message,
            "suggestion": self._desk.suggestion,
            "delivery": self._desk.delivery,
        }
        if event.kind in ("", "reset"):  # the stream is open, or has lost its place
            self._read_all()
        elif event.kind in shows:
            shows[event.kind](event.data)

    def _read_all(self) -> None:
        self._connected = True
        listed = self._bridge.expect("GET", self._listing())["items"]
        for call in reversed(listed):
            self._call(call)
        open_ids = {call["call_id"] for call in listed}
        for call_id in [each for each in self._desk.calls if each not in open_ids]:
            reply = self._bridge.ask("GET", f"/bridge/calls/{quote(call_id, safe='')}")
            ended = {"call_id": call_id, "agent_id": self._agent_id, "state": "ended"}
            self._call(reply.body if reply.ok else ended)

    def _call(self, data: JsonObject) -> None:
        if self._desk.call(data):
            reply = self._bridge.ask("GET", f"/bridge/calls/{quote(data['call_id'], safe='')}")
            if reply.ok:
                self._desk.conversation(reply.body)

    def _typed(self, line: str) -> None:
        name, _, rest = line[1:].partition(" ")
        if not line:
            return
        if line.startswith("/"):
            command = self._commands.get(name)
            if command is None:
                self._transcript.note(f"There is no /{name}. {_HELP}", FAULT)
            else:
                command(rest.strip())
        elif line.isdecimal():
            self._decide(line, "accept")
        else:
            self._say(line)

    def _say(self, text: str) -> None:
        body = {"text": text, "client_id": uuid.uuid4().hex}
        self._post("replies", body)

    def _reject(self, number: str) -> None:
        if number:
            self._decide(number, "reject")
        else:
            self._act("reject")

    def _decide(self, number: str, action: str) -> None:
        call = self._desk.current
        offered = call.suggestions.items() if call is not None else ()
        found = next((each for place, each in offered if str(place) == number), None)
        if found is None:
            self._transcript.note(f"There is no suggestion {number}. Nothing was sent.", FAULT)
            return
        self._report(self._bridge.ask("POST", f"/bridge/suggestions/{found['id']}/{action}", {}))

    def _transfer(self, target: str) -> None:
        kind, _, number = target.partition(" ")
        if not target:
            self._transcript.note("Say where to: /transfer 306 or /transfer skill 12", FAULT)
        elif kind == "skill":
            self._post("transfer", {"skill": number.strip()})
        else:
            self._post("transfer", {"agent_id": target})

    def _act(self, action: str) -> None:
        """Do something with the call: to answer or reject, one that rings is looked for."""
        self._post(action, {}, self._ringing() if action in ("answer", "reject") else None)

    def _ringing(self) -> OpenCall | None:
        current = self._desk.current
        calls = [*([current] if current else []), *self._desk.calls.values()]
        return next((call for call in calls if call.can("answer")), None)

    def _post(self, action: str, body: JsonObject, call: OpenCall | None = None) -> None:
        chosen = call or self._desk.current
        if chosen is None:
            self._transcript.note("You have no call.", FAULT)
            return
        call_id = quote(str(chosen.data["call_id"]), safe="")
        self._report(self._bridge.ask("POST", f"/bridge/calls/{call_id}/{action}", body))

    def _report(self, reply: HttpAnswer) -> None:
        if reply.status == _STILL_ASKED:
            self._transcript.note("The gateway has not answered yet.")
        elif not reply.ok:
            self._transcript.note(reply.fault, FAULT)

    def _list(self) -> None:
        for line in self._desk.listed() if self._desk.calls else ("You have no call.",):
            self._transcript.note(line)

    def _open(self, number: str) -> None:
        if not self._desk.select(number):
            self._transcript.note(f"There is no call {number}: /calls lists them.", FAULT)

    def _listing(self) -> str:
        query = urlencode({"agent_id": self._agent_id, "limit": 200})
        return f"/bridge/calls?{query}"
