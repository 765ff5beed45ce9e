"""What an agent's terminal knows of the calls, and what it shows of each change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.cli.chat.transcript import AGENT, BOT, CUSTOMER, FAULT, Transcript
from bridge.cli.peers import JsonObject

_TALKING = {"talking", "open"}
_RINGING = {"incoming", "ringing", "answering"}
_NOT_DELIVERED = {"failed", "uncertain", "expired"}
_SAID_BY = {"customer": CUSTOMER, "agent": AGENT, "bot": BOT}


@dataclass(slots=True)
class OpenCall:
    """A call of the agent.

    Attributes:
        data: the call as the API shows it.
        suggestions: those on offer, by the number that stands for them.
        shown: IDs of the lines that were shown.
        was_taken: the agent has been its owner.
    """

    data: JsonObject
    suggestions: dict[int, JsonObject] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    was_taken: bool = False

    @property
    def name(self) -> str:
        """Return the name of the customer."""
        for key in ("nickname", "user_id", "call_id"):
            if self.data.get(key):
                return str(self.data[key])
        return ""

    def can(self, action: str) -> bool:
        """Return whether something can be done with the call at the gateway now."""
        return action in (self.data.get("actions") or ())


class Desk:
    """The open calls of one agent; ``current`` is the one that is written to."""

    def __init__(self, agent_id: str, transcript: Transcript) -> None:
        self._agent_id = agent_id
        self._transcript = transcript
        self.calls: dict[str, OpenCall] = {}
        self.current: OpenCall | None = None

    def is_mine(self, data: JsonObject) -> bool:
        """Return whether a call is one of the agent's that has not ended."""
        return data.get("agent_id") == self._agent_id and data.get("state") != "ended"

    def call(self, data: JsonObject) -> bool:
        """Show how a call changed, and return whether its conversation is to be read."""
        call_id = str(data.get("call_id"))
        known = self.calls.get(call_id)
        if not self.is_mine(data):
            if known is not None:
                self._gone(known, data)
            return False
        if known is None:
            known = self.calls[call_id] = OpenCall({})
        before, known.data = known.data, data
        self._changed(known, before)
        # No event tells what a customer writes before the call is answered, but that it changed.
        return data.get("state") in _RINGING or before.get("state") != data.get("state")

    def conversation(self, detail: JsonObject) -> None:
        """Show what is not shown yet of a call's conversation."""
        call = self.calls.get(str(detail.get("call_id")))
        if call is None:
            return
        card = detail.get("card") or {}
        if card.get("reason") and "card" not in call.shown:
            call.shown.add("card")
            self._transcript.note(f"The bot handed {call.name} over: {card['reason']}")
        for line in detail.get("history") or ():
            self.message(line)
        for suggestion in detail.get("suggestions") or ():
            self.suggestion(suggestion)

    def message(self, line: JsonObject) -> None:
        """Show a line of a conversation, once."""
        call = self.calls.get(str(line.get("call_id")))
        if call is None or line.get("id") in call.shown:
            return
        call.shown.add(str(line.get("id")))
        who = str(line.get("from"))
        names = {"customer": call.name, "agent": f"You to {call.name}"}
        name = names.get(who, f"Bot to {call.name}")
        self._transcript.said(name, _words(line), _SAID_BY.get(who, BOT))

    def suggestion(self, data: JsonObject) -> None:
        """Show a new suggestion with its number, or what became of one."""
        call = self.calls.get(str(data.get("call_id")))
        if call is None:
            return
        number = next((n for n, each in call.suggestions.items() if each["id"] == data["id"]), None)
        if data.get("state") != "offered":
            if number is not None:
                del call.suggestions[number]
                self._transcript.note(f"Suggestion {number} for {call.name}: {data.get('state')}.")
        elif number is None:
            number = max(call.suggestions, default=0) + 1
            call.suggestions[number] = data
            self._transcript.said(f"[{number}] Suggestion for {call.name}", _draft(data), BOT)

    def delivery(self, data: JsonObject) -> None:
        """Show that a message did not reach the customer."""
        call = self.calls.get(str(data.get("call_id")))
        mark = f"{data.get('id')} {data.get('state')}"
        if call is None or data.get("state") not in _NOT_DELIVERED or mark in call.shown:
            return
        call.shown.add(mark)
        error = data.get("error") or {}
        why = error.get("message") or error.get("code") or data["state"]
        self._transcript.note(f"Not delivered to {call.name}: {why}", FAULT)

    def select(self, number: str) -> bool:
        """Make a call the current one, by its number in the list; return whether there is one."""
        numbered = {str(place): call for place, call in enumerate(self.calls.values(), 1)}
        if number not in numbered:
            return False
        self.current = numbered[number]
        self._transcript.note(f"You write to {self.current.name}.")
        return True

    def listed(self) -> Iterable[str]:
        """Yield a line for each open call."""
        for number, call in enumerate(self.calls.values(), 1):
            mark = " (current)" if call is self.current else ""
            state, owner = call.data.get("state"), call.data.get("owner")
            yield f"{number}. {call.name}: {state}, with the {owner}{mark}"

    def _changed(self, call: OpenCall, before: JsonObject) -> None:
        data = call.data
        state, had, has = data.get("state"), _is_with_agent(before), _is_with_agent(data)
        if state == "ringing" and before.get("state") != "ringing":
            call.was_taken = False
            self._transcript.note(f"{call.name} rings on {data.get('channel') or 'chat'}: /answer")
        elif has and not had:
            again, call.was_taken = call.was_taken, True
            first = f"You have {call.name}, in call {data['call_id']}."
            self._transcript.note(f"You answer {call.name} now." if again else first)
        elif had and state in _TALKING and not has:
            self._transcript.note(f"The bot answers {call.name} now.")
        if data.get("problem") and data.get("problem") != before.get("problem"):
            self._transcript.note(f"{call.name}: {data['problem']}", FAULT)
        if data.get("transfer_to") and data.get("transfer_to") != before.get("transfer_to"):
            self._transcript.note(f"{call.name} is being transferred to {data['transfer_to']}.")
        bot_note = data.get("bot_note") or {}
        if bot_note.get("text") and bot_note != before.get("bot_note"):
            self._transcript.note(f"{call.name}: {bot_note['text']}")
        waits = self.current is None or self.current.data.get("state") in _RINGING
        if waits or (state == "talking" and before.get("state") in _RINGING):
            self.current = call

    def _gone(self, call: OpenCall, data: JsonObject) -> None:
        del self.calls[str(call.data["call_id"])]
        moved_to = data.get("moved_to")
        if not moved_to and data.get("agent_id") != self._agent_id:
            moved_to = data.get("agent_id")
        moved_to = moved_to or data.get("transfer_to")
        is_over = f"{call.name} is transferred to {moved_to}." if moved_to else ""
        self._transcript.note(is_over or f"The call of {call.name} has ended.")
        if self.current is call:
            self.current = next(iter(self.calls.values()), None)
            if self.current is not None:
                self._transcript.note(f"You write to {self.current.name}.")


def _is_with_agent(data: JsonObject) -> bool:
    """Return whether the agent answers the customer: not before a look-up has assigned the call."""
    return data.get("state") in _TALKING and data.get("owner") == "agent"


def _words(line: JsonObject) -> str:
    """Return what a line says: a file or a place by what is known of it."""
    attachment = line.get("attachment") or {}
    known = [attachment.get(key) for key in ("name", "file_id", "description")]
    known = [each for each in known if each][:1]
    if "latitude" in attachment:
        known.append(f"{attachment['latitude']}, {attachment.get('longitude')}")
    shown = f"[{attachment['kind']}] {' '.join(map(str, known))}" if attachment else ""
    media = line.get("media_type")
    text = line.get("text") or (f"[{media}] {line.get('content') or ''}" if media else "")
    return " ".join(part for part in (shown, str(text)) if part) or "(no text)"


def _draft(data: JsonObject) -> str:
    kinds = [each.get("media_type") for each in data.get("drafts") or ()]
    others = [f"[{kind}]" for kind in kinds if kind not in ("TEXT", "RICHTEXT", "EMAIL")]
    return " ".join([str(data.get("text") or ""), *others]).strip()
