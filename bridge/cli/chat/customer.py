"""The customer's side: a call at the simulated gateway."""

from __future__ import annotations

import html
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlencode

from bridge.cli.chat.transcript import AGENT, FAULT, ChatError, Inbox, Transcript, typed
from bridge.cli.peers import JsonObject, Peer, PeerError
from bridge.translate import html_text

_WAIT = 10.0  # seconds that the simulator waits for news of a call
_WEB_CHAT, _SOCIAL_CHAT = "51", "53"  # codes of media
_RENDER_HTML = {"WEB", "EMAIL"}
_TEXTS = {"TEXT", "RICHTEXT", "EMAIL"}
_ENDED = {
    "released": "The call has ended.",
    "rejected": "Agent {agent} rejected the call. It has ended.",
    "transferred": "Agent {agent} transferred the call. Nobody takes it here, so it has ended.",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who the customer is."""

    user: str
    channel: str
    name: str


@dataclass(frozen=True, slots=True)
class News:
    """What the simulator tells of a call: its state, and messages; or why it cannot."""

    call: JsonObject
    messages: tuple[JsonObject, ...] = ()
    fault: str | None = None


Item: TypeAlias = News | str | None  # the latter two are typed: a line, or the end of the input


class CustomerChat:
    """One call, from its first ring until somebody hangs up."""

    def __init__(self, simulator: Peer, transcript: Transcript, caller: Caller, agent: str) -> None:
        self._simulator = simulator
        self._transcript = transcript
        self._caller = caller
        self._agent = agent
        self._state = "ringing"
        self._call_id = f"{int(time.time())}-{secrets.randbelow(10**8)}"

    def run(self) -> None:
        """Call the agent, and write until the call ends.

        Raises:
            ChatError: there is no simulator, or it does not accept the call.
        """
        self._ring()
        inbox: Inbox[Item] = Inbox()
        inbox.fill(self._news)
        inbox.fill(typed)
        try:
            while self._take(inbox.next()):
                pass
        except KeyboardInterrupt:
            self._leave()

    def _ring(self) -> None:
        try:
            state = self._simulator.expect("GET", "/simulator/state")
        except PeerError:
            raise ChatError(
                f"There is no simulated gateway at {self._simulator.url}. Start one in another"
                " terminal: cc-bridge simulate gateway --port 8043"
            ) from None
        if state.get("settings", {}).get("record") == "none":
            raise ChatError("The simulator keeps no messages: start it without --record none.")
        caller = self._caller
        body = {
            "call": self._call_id,
            "agent": self._agent,
            "caller": caller.user,
            "user_id": caller.user,
            "nickname": caller.name,
            "channel": caller.channel,
            "media": _WEB_CHAT if caller.channel == "WEB" else _SOCIAL_CHAT,
        }
        reply = self._simulator.ask("POST", "/simulator/customers", body)
        if not reply.ok:
            raise ChatError(f"The simulator refuses the call: {reply.fault}")
        self._transcript.note(
            f"You are {caller.name} ({caller.user}) on {caller.channel}, in call {self._call_id}."
            " Each line is a message; /leave hangs up."
        )
        signed_in = state.get("agents", {}).get(self._agent, {}).get("signed_in")
        until = "" if signed_in else " They are not signed in: the call waits for them."
        self._transcript.note(f"It rings at agent {self._agent}.{until}")

    def _news(self) -> Iterator[News]:
        state, agent, after = "ringing", self._agent, 0
        while True:
            known = {"state": state, "agent": agent, "after": after, "timeout": _WAIT}
            path = f"/simulator/customers/{self._call_id}?{urlencode(known)}"
            try:
                body = self._simulator.expect("GET", path, timeout=2 * _WAIT)
            except PeerError as error:
                yield News({}, fault=str(error))
                return
            call, messages = body["call"], body["messages"]
            yield News(call, tuple(messages))
            state, agent = call["state"], call["agent"]
            after = messages[-1]["seq"] if messages else after

    def _take(self, item: Item) -> bool:
        """Handle one item, and return whether the call goes on."""
        if isinstance(item, News):
            return self._show(item)
        if item is None or item.strip() == "/leave":
            self._leave()
            return False
        if item.strip():
            path = f"/simulator/customers/{self._call_id}/messages"
            reply = self._simulator.ask("POST", path, {"message": item})
            if not reply.ok:
                self._transcript.note(f"Not sent: {reply.fault}", FAULT)
        return True

    def _show(self, news: News) -> bool:
        if news.fault is not None:
            raise ChatError(f"The call is lost: {news.fault}")
        state, agent = str(news.call["state"]), str(news.call["agent"])
        if agent != self._agent:
            self._transcript.note(f"You are transferred: it rings at agent {agent}.")
        if state == "talking" and (state, agent) != (self._state, self._agent):
            self._transcript.note(f"Agent {agent} has answered.")
        self._state, self._agent = state, agent
        for message in news.messages:
            again = " (sent again)" if message.get("repeated") else ""
            self._transcript.said(f"Agent {message['agent']}{again}", self._words(message), AGENT)
        if state in _ENDED:
            self._transcript.note(_ENDED[state].format(agent=agent))
        return state not in _ENDED

    def _words(self, message: JsonObject) -> str:
        text, fields = str(message["text"]), message.get("data") or {}
        kind = str(fields.get("mediaType") or "TEXT")
        if kind not in _TEXTS:
            return f"[{kind}] {text}"
        if self._caller.channel not in _RENDER_HTML:
            return text
        return html_text.without_tags(text) if html_text.is_html(text) else html.unescape(text)

    def _leave(self) -> None:
        self._simulator.ask("DELETE", f"/simulator/customers/{self._call_id}")
        self._transcript.note("You have left.")
