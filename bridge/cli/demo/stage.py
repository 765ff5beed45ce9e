"""Play the scenes against the two servers and record what happens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict

from bridge import triggers
from bridge import turn as turns
from bridge.cli.demo import webhooks
from bridge.cli.demo.desktop import Desktop
from bridge.cli.demo.faults import DemoError
from bridge.cli.demo.played import Clicked, Played
from bridge.cli.demo.scenes import Click, Customer, Scene
from bridge.cli.peers import JsonObject, Peer, as_object
from bridge.config import Settings

_POLL = "poll"
_LOOK_EVERY = 0.005
_AWAY_WITHIN = 2.0  # seconds
_ACCEPT = "/bridge/suggestions/{}/accept"


class Stage:
    """Plays scenes; remembers how much of the gateway's record it has read.

    Args:
        gateway: the simulated gateway.
        bridge: the action server.
        settings: the bridge's settings, to find out why it ignores a turn.
    """

    def __init__(self, gateway: Peer, bridge: Peer, settings: Settings) -> None:
        self._gateway = gateway
        self._bridge = bridge
        self._desktop = Desktop(bridge)
        self._settings = settings
        self._requests: dict[str, JsonObject] = {}
        self._offered: dict[str, tuple[JsonObject, ...]] = {}
        self._played: dict[str, Played] = {}
        self._request = self._message = 0  # the newest sequence numbers read

    def play(self, scene: Scene) -> Played:
        """Play one scene; raise DemoError if a server does not answer."""
        self._prepare(scene)
        payload = self._payload(scene)
        began = time.monotonic()
        reply = self._bridge.ask("POST", "/webhook", payload)
        seconds = time.monotonic() - began
        wire, got = self._since(scene.customer)
        self._offered[scene.key] = offered = self._desktop.offered(scene.customer)
        clicks = dict(pair for click in scene.clicks for pair in self._click(scene, click))
        call = self._call(scene)
        played = Played(
            key=scene.key,
            said=webhooks.transcript(payload),
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

    def record(self) -> JsonObject:
        """Return the scenes as JSON, and the gateway's whole record, read again.

        ``requests`` are those that the gateway received, without event polls; ``messages`` those
        that it accepted.
        """
        recorded = self._gateway.expect("GET", "/simulator/recorded")["items"]
        messages = self._gateway.expect("GET", "/simulator/messages")["items"]
        scenes = {key: asdict(played) for key, played in self._played.items()}
        record = {"scenes": scenes, "requests": _requests(recorded), "messages": messages}
        return as_object(json.dumps(record))

    def _prepare(self, scene: Scene) -> None:
        if scene.routed:
            sender = scene.customer.sender_id
            assignment = dict(scene.customer.assignment)
            self._bridge.expect("PUT", f"/bridge/assignments/{sender}", assignment)
        if scene.away:
            self._send_away(scene.away)

    def _payload(self, scene: Scene) -> JsonObject:
        """Return Rasa's request, or the earlier one if the scene repeats another."""
        request = self._requests.get(scene.repeats)
        if request is None:
            request = webhooks.request(scene.request, time.time())
        self._requests[scene.key] = request
        return request

    def _click(self, scene: Scene, click: Click) -> Iterator[tuple[str, Clicked]]:
        """Click on the newest suggestion of a scene, if there is one."""
        offered = self._offered.get(click.of)
        if not offered:
            return
        path = _ACCEPT.format(offered[-1]["id"])
        reply = self._desktop.accept(path, click.text)
        wire, got = self._since(scene.customer)
        yield click.of, Clicked(path, click.text, reply.status, reply.body, wire, got)

    def _send_away(self, seconds: float) -> None:
        """Make the gateway refuse connections, and wait until it does."""
        self._gateway.expect("POST", "/simulator/refuse", {"seconds": seconds})
        until = time.monotonic() + _AWAY_WITHIN
        while not self._gateway.refuses():
            if time.monotonic() > until:
                raise DemoError("the simulated gateway does not go away")
            time.sleep(_LOOK_EVERY)

    def _since(self, customer: Customer) -> tuple[tuple[JsonObject, ...], tuple[JsonObject, ...]]:
        """Return the gateway's new requests, and the customer's new messages."""
        self._await_gateway()
        recorded = self._gateway.expect("GET", f"/simulator/recorded?after={self._request}")
        messages = self._gateway.expect("GET", f"/simulator/messages?after={self._message}")
        wire, accepted = recorded["items"], messages["items"]
        self._request = wire[-1]["seq"] if wire else self._request
        self._message = accepted[-1]["seq"] if accepted else self._message
        got = tuple(message for message in accepted if message["call"] == customer.call_id)
        return _requests(wire), got

    def _await_gateway(self) -> None:
        until = time.monotonic() + _AWAY_WITHIN
        while self._gateway.refuses() and time.monotonic() < until:
            time.sleep(_LOOK_EVERY)

    def _call(self, scene: Scene) -> JsonObject:
        if scene.customer.call_id is None:
            return {}
        return self._bridge.expect("GET", f"/bridge/calls/{scene.customer.call_id}")

    def _deliveries(self, scene: Scene) -> tuple[JsonObject, ...]:
        if scene.customer.call_id is None:
            return ()
        path = f"/bridge/deliveries?call_id={scene.customer.call_id}"
        return tuple(self._bridge.expect("GET", path)["items"])

    def _reason(self, call: JsonObject, payload: JsonObject) -> str:
        """Return the handoff card's reason; without a card, apply the same rules to the turn."""
        card, action = call.get("card"), payload["next_action"]
        if card:
            return str(card["reason"])
        if action == "action_handback":
            return "a rule of the bot called action_handback"
        turn = turns.read(payload["tracker"], payload["domain"], action)
        if action == "action_human_handoff":
            return triggers.handoff_reason(turn, self._settings.designer).reason
        return triggers.decide(turn, self._settings.designer).reason


def _requests(recorded: list[JsonObject]) -> tuple[JsonObject, ...]:
    """Return the requests without event polls, each with the ``data`` of its body decoded."""
    requests = [entry for entry in recorded if entry["operation"] != _POLL]
    bodies = [entry["body"] if isinstance(entry["body"], dict) else {} for entry in requests]
    return tuple(
        {**entry, "data": as_object(str(body.get("data")))}
        for entry, body in zip(requests, bodies, strict=True)
    )
