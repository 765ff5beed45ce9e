"""Plays the scenes against the two servers and writes down what they say. Judges nothing."""

from __future__ import annotations

import time

from bridge import triggers
from bridge import turn as turns
from bridge.cli.demo import webhooks
from bridge.cli.demo.desktop import Desktop
from bridge.cli.demo.evidence import Clicked, Evidence, Played
from bridge.cli.demo.loopback import DemoError, Json, Peer
from bridge.cli.demo.scenes import Click, Customer, Scene
from bridge.config import Settings

_POLL = "poll"
_LOOK_EVERY = 0.005
_AWAY_WITHIN = 2.0  # seconds
_ACCEPT = "/bridge/suggestions/{}/accept"


class Stage:
    """The servers, and what of the gateway's record was seen already.

    Args:
        gateway: the simulated one.
        bridge: the action server.
        settings: the bridge's, to say why a turn calls for nothing.
    """

    def __init__(self, gateway: Peer, bridge: Peer, settings: Settings) -> None:
        self._gateway = gateway
        self._bridge = bridge
        self._desktop = Desktop(bridge)
        self._settings = settings
        self._requests: dict[str, Json] = {}
        self._offered: dict[str, tuple[Json, ...]] = {}
        self._played: dict[str, Played] = {}
        self._request = self._message = 0  # the newest that were seen

    def play(self, scene: Scene) -> Played:
        """Play one scene; raises DemoError where a server does not answer."""
        self._prepare(scene)
        payload = self._payload(scene)
        began = time.monotonic()
        reply = self._bridge.ask("POST", "/webhook", payload)
        seconds = time.monotonic() - began
        wire, got = self._since(scene.customer)
        self._offered[scene.key] = offered = self._desktop.offered(scene.customer)
        clicks = tuple(found for each in scene.clicks for found in self._click(scene, each))
        call = self._call(scene)
        played = Played(
            key=scene.key,
            said=webhooks.transcript(payload),
            intent=payload["tracker"]["latest_message"]["intent"],
            status=reply.status,
            events=tuple(reply.body.get("events") or ()),
            responses=tuple(reply.body.get("responses") or ()),
            uttered=webhooks.uttered(reply.body.get("responses") or ()),
            reason=self._reason(call, payload),
            wire=wire,
            got=got,
            offered=offered,
            clicks=clicks,
            owner=call.get("owner"),
            deliveries=self._deliveries(scene),
            seconds=seconds,
        )
        self._played[scene.key] = played
        return played

    def evidence(self) -> Evidence:
        """Everything, with the gateway's whole record read once more."""
        recorded = self._gateway.expect("GET", "/simulator/recorded")["items"]
        messages = self._gateway.expect("GET", "/simulator/messages")["items"]
        return Evidence(dict(self._played), tuple(recorded), tuple(messages))

    def _prepare(self, scene: Scene) -> None:
        if scene.routed:
            sender = scene.customer.sender_id
            given = dict(scene.customer.assignment)
            self._bridge.expect("PUT", f"/bridge/assignments/{sender}", given)
        if scene.away:
            self._send_away(scene.away)

    def _payload(self, scene: Scene) -> Json:
        """What Rasa sends now, or sent then where a scene repeats another."""
        found = self._requests.get(scene.repeats)
        if found is None:
            found = webhooks.request(scene.request, time.time())
        self._requests[scene.key] = found
        return found

    def _click(self, scene: Scene, click: Click) -> tuple[Clicked, ...]:
        """Click; where nothing was offered there is nothing to be clicked."""
        offered = self._offered.get(click.of)
        if not offered:
            return ()
        path = _ACCEPT.format(offered[-1]["id"])
        reply = self._desktop.accept(path, click.text)
        wire, got = self._since(scene.customer)
        return (Clicked(click.of, path, click.text, reply.status, reply.body, wire, got),)

    def _send_away(self, seconds: float) -> None:
        """Let the gateway refuse connections, and see that it does."""
        self._gateway.expect("POST", "/simulator/refuse", {"seconds": seconds})
        until = time.monotonic() + _AWAY_WITHIN
        while not self._gateway.refuses():
            if time.monotonic() > until:
                raise DemoError("the simulated gateway does not go away")
            time.sleep(_LOOK_EVERY)

    def _since(self, customer: Customer) -> tuple[tuple[Json, ...], tuple[Json, ...]]:
        """What the gateway recorded since this was last asked, and what the customer got of it."""
        self._await_gateway()
        recorded = self._gateway.expect("GET", f"/simulator/recorded?after={self._request}")
        messages = self._gateway.expect("GET", f"/simulator/messages?after={self._message}")
        wire, taken = recorded["items"], messages["items"]
        self._request = wire[-1]["seq"] if wire else self._request
        self._message = taken[-1]["seq"] if taken else self._message
        got = tuple(each for each in taken if each["call"] == customer.call_id)
        return tuple(each for each in wire if each["operation"] != _POLL), got

    def _await_gateway(self) -> None:
        until = time.monotonic() + _AWAY_WITHIN
        while self._gateway.refuses() and time.monotonic() < until:
            time.sleep(_LOOK_EVERY)

    def _call(self, scene: Scene) -> Json:
        if scene.customer.call_id is None:
            return {}
        return self._bridge.expect("GET", f"/bridge/calls/{scene.customer.call_id}")

    def _deliveries(self, scene: Scene) -> tuple[Json, ...]:
        if scene.customer.call_id is None:
            return ()
        path = f"/bridge/deliveries?call_id={scene.customer.call_id}"
        return tuple(self._bridge.expect("GET", path)["items"])

    def _reason(self, call: Json, payload: Json) -> str:
        """The handoff card's reason; without a card, what the same rules say of the turn."""
        card, action = call.get("card"), payload["next_action"]
        if card:
            return str(card["reason"])
        if action == "action_handback":
            return "a rule of the bot called action_handback"
        turn = turns.read(payload["tracker"], payload["domain"], action)
        if action == "action_human_handoff":
            return triggers.handoff_reason(turn, self._settings.designer).reason
        return triggers.decide(turn, self._settings.designer).reason
