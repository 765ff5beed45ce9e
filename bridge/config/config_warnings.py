"""Warnings at start about settings that are valid but probably not intended. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from bridge.config.designers import HandoffRules, HandoffSettings
from bridge.config.operators import ANYONE, BridgeSettings
from bridge.config.values import code_of, is_loopback
from bridge.model import Mode


def config_warnings(bridge: BridgeSettings, designer: HandoffSettings) -> Iterator[str]:
    """Yield the warnings: one sentence each, which names the key but no value that is set."""
    yield from _addresses(bridge)
    yield from _secrets(bridge)
    yield from _agents(bridge)
    yield from _readers(bridge)
    yield from _handback(bridge, designer)
    yield from _alerts(bridge, designer)
    yield from _assist(bridge, designer)
    yield from _languages(designer)
    handoff = designer.handoff
    if handoff.hours is None and handoff.closed != HandoffRules().closed:
        yield "handoff.closed is not used: handoff.hours is not set"


def _addresses(bridge: BridgeSettings) -> Iterator[str]:
    if _is_open(bridge.gateway.url):
        yield (
            "gateway.url is http and not on this machine: passwords, GUIDs and customers' words "
            "go over the network unencrypted"
        )
    if bridge.rasa.url and _is_open(bridge.rasa.url) and bridge.rasa.token:
        yield "rasa.url is http and not on this machine: rasa.token goes there unencrypted"


def _is_open(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def _secrets(bridge: BridgeSettings) -> Iterator[str]:
    if bridge.api.closed:
        yield "api.token is not set: the API and the agents' page are closed, except /bridge/health"
    elif bridge.api.inbox_secret is None:
        yield "api.inbox_secret is not set: agents cannot get tokens, and their page is closed"
    if bridge.rasa.webhook_token is None:
        yield "rasa.webhook_token is not set: /webhook accepts requests from this machine only"
    if bridge.assignment.metadata == "signed" and bridge.assignment.secret is None:
        yield (
            "assignment.secret is not set: assignments in a message's metadata are refused; "
            "only those from the API or the gateway's events are accepted"
        )
    if bridge.assignment.metadata == "trusted":
        yield (
            "assignment.metadata is trusted: anyone who can write a message's metadata can direct "
            "it to any call; do not use it with a Rasa channel that customers can reach"
        )


def _agents(bridge: BridgeSettings) -> Iterator[str]:
    for agent_id, agent in bridge.agents.items():
        if agent.session == "pushed" and agent.password is not None:
            yield f"agents.{agent_id}.password is not used: session is pushed"
        if agent.session == "sign_in" and agent_id == ANYONE:
            yield 'agents."*" signs every agent in with the same password and phone'
    if bridge.gateway.deployment == "public_cloud" and not bridge.channel_config_ids:
        yield (
            "channel_config_ids is empty: an assignment without channel_config_id cannot be used, "
            "because the public cloud requires `from`"
        )


def _readers(bridge: BridgeSettings) -> Iterator[str]:
    reader = bridge.reader
    if reader.push_url and _is_open(reader.push_url):
        yield (
            "reader.push_url is http and not on this machine: customers' words and the tokens of "
            "pushes go over the network unencrypted"
        )
    if reader != type(reader)() and not bridge.readers:
        yield "reader is set, and no agent has reader: true: the keys under reader are not used"


def _handback(bridge: BridgeSettings, designer: HandoffSettings) -> Iterator[str]:
    if designer.handoff.then == "pause" and bridge.rasa.url is None:
        yield (
            "handoff.then is pause and rasa.url is not set: a paused bot calls no action, so "
            "nobody can hand a conversation back; set rasa.url, and start Rasa with --enable-api"
        )


def _alerts(bridge: BridgeSettings, designer: HandoffSettings) -> Iterator[str]:
    if bridge.alerts.url is not None and designer.handoff.alert_after is None:
        yield "alerts.url is set and handoff.alert_after is not: no alert is ever raised"


def _assist(bridge: BridgeSettings, designer: HandoffSettings) -> Iterator[str]:
    assist = designer.assist
    if assist.mode is Mode.AUTO and not assist.auto.intents:
        yield "assist.mode is auto and assist.auto.intents is empty: nothing is sent automatically"
    if bridge.rasa.replies == "customer":
        for number, rule in enumerate(assist.when):
            if rule.reply is None:
                yield (
                    f"assist.when[{number}] names no reply: with rasa.replies: customer the bot's "
                    "own replies are never suggested"
                )
    if designer.handoff.then == "assist" and not assist.when and assist.mode is not Mode.OFF:
        yield "handoff.then is assist and assist.when is empty: nothing is ever suggested"


def _languages(designer: HandoffSettings) -> Iterator[str]:
    default = code_of(designer.language.default)
    for key in designer.handoff.ANNOUNCEMENTS:
        names = getattr(designer.handoff, key)
        if not isinstance(names, Mapping):
            continue
        known = {code_of(code) for code in names}
        if not any(default == code or default.startswith(f"{code}-") for code in known):
            yield (
                f"handoff.{key} has no response for language.default: customers of a language that "
                "it does not name, and of none, get the built-in text"
            )
