"""Warnings about settings that are valid but probably not intended. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import urlsplit

from bridge.config.designers import HandoffRules, HandoffSettings
from bridge.config.faults import KeyPath, printable
from bridge.config.hours import DAY, WEEK, HoursSettings, days_of
from bridge.config.operators import ANYONE, BridgeSettings
from bridge.config.values import code_of, is_loopback
from bridge.model import Mode

_SECRET = "set it to 32 bytes or more, made with: openssl rand -hex 32"  # noqa: S105 - a hint


class SettingsWarning(NamedTuple):
    """A warning: it names the key, but no value that is set."""

    path: KeyPath  # its first key tells the file
    sentence: str
    hint: str  # what to change


def config_warnings(bridge: BridgeSettings, designer: HandoffSettings) -> Iterator[SettingsWarning]:
    """Yield the warnings."""
    yield from _addresses(bridge)
    yield from _secrets(bridge)
    yield from _agents(bridge)
    yield from _readers(bridge)
    yield from _handback(bridge, designer)
    yield from _alerts(bridge, designer)
    yield from _assist(bridge, designer)
    yield from _hours(designer)
    yield from _languages(designer)


def _addresses(bridge: BridgeSettings) -> Iterator[SettingsWarning]:
    if _is_open(bridge.gateway.url):
        yield SettingsWarning(
            ("gateway", "url"),
            "gateway.url is http and not on this machine: passwords, GUIDs and customers' words "
            "go over the network unencrypted",
            "use https",
        )
    if bridge.rasa.url and _is_open(bridge.rasa.url) and bridge.rasa.token:
        yield SettingsWarning(
            ("rasa", "url"),
            "rasa.url is http and not on this machine: rasa.token goes there unencrypted",
            "use https",
        )


def _is_open(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def _secrets(bridge: BridgeSettings) -> Iterator[SettingsWarning]:
    if bridge.api.closed:
        yield SettingsWarning(
            ("api", "token"),
            "api.token is not set: the API and the agents' page are closed, except /bridge/health",
            _SECRET,
        )
    elif bridge.api.inbox_secret is None:
        yield SettingsWarning(
            ("api", "inbox_secret"),
            "api.inbox_secret is not set: agents cannot get tokens, and their page is closed",
            _SECRET,
        )
    if bridge.rasa.webhook_token is None:
        yield SettingsWarning(
            ("rasa", "webhook_token"),
            "rasa.webhook_token is not set: /webhook accepts requests from this machine only",
            "set it here, and as `token` under action_endpoint in Rasa's endpoints.yml",
        )
    if bridge.assignment.metadata == "signed" and bridge.assignment.secret is None:
        yield SettingsWarning(
            ("assignment", "secret"),
            "assignment.secret is not set: assignments in a message's metadata are refused; "
            "only those from the API or the gateway's events are accepted",
            "set it to a secret that your front end's server signs with, or assignment.metadata to"
            " off",
        )
    if bridge.assignment.metadata == "trusted":
        yield SettingsWarning(
            ("assignment", "metadata"),
            "assignment.metadata is trusted: anyone who can write a message's metadata can direct "
            "it to any call; do not use it with a Rasa channel that customers can reach",
            "set it to signed",
        )


def _agents(bridge: BridgeSettings) -> Iterator[SettingsWarning]:
    for agent_id, agent in bridge.agents.items():
        if agent.session == "pushed" and agent.password is not None:
            yield SettingsWarning(
                ("agents", agent_id, "password"),
                f"agents.{agent_id}.password is not used: session is pushed",
                "remove it, or set session to sign_in",
            )
        if agent.session == "sign_in" and agent_id == ANYONE:
            yield SettingsWarning(
                ("agents", agent_id),
                'agents."*" signs every agent in with the same password and phone',
                "name each agent that signs in by its agent ID",
            )
    if bridge.gateway.deployment == "public_cloud" and not bridge.channel_config_ids:
        yield SettingsWarning(
            ("channel_config_ids",),
            "channel_config_ids is empty: an assignment without channel_config_id cannot be used, "
            "because the public cloud requires `from`",
            "name the Configuration ID of each channel that you use",
        )


def _readers(bridge: BridgeSettings) -> Iterator[SettingsWarning]:
    reader = bridge.reader
    if reader.push_url and _is_open(reader.push_url):
        yield SettingsWarning(
            ("reader", "push_url"),
            "reader.push_url is http and not on this machine: customers' words and the tokens of "
            "pushes go over the network unencrypted",
            "use https",
        )
    if reader != type(reader)() and not bridge.readers:
        yield SettingsWarning(
            ("reader",),
            "reader is set, and no agent has reader: true: the keys under reader are not used",
            "add reader: true to the agents whose events the bridge reads, or remove reader",
        )


def _handback(bridge: BridgeSettings, designer: HandoffSettings) -> Iterator[SettingsWarning]:
    if designer.handoff.then == "pause" and bridge.rasa.url is None:
        yield SettingsWarning(
            ("rasa", "url"),
            "handoff.then is pause and rasa.url is not set: a paused bot calls no action, so "
            "nobody can hand a conversation back; set rasa.url, and start Rasa with --enable-api",
            "set rasa.url, and start Rasa with --enable-api",
        )


def _alerts(bridge: BridgeSettings, designer: HandoffSettings) -> Iterator[SettingsWarning]:
    if bridge.alerts.url is not None and designer.handoff.alert_after is None:
        yield SettingsWarning(
            ("alerts", "url"),
            "alerts.url is set and handoff.alert_after is not: no alert is ever raised",
            "set handoff.alert_after in handoff.yml, or remove alerts",
        )


def _assist(bridge: BridgeSettings, designer: HandoffSettings) -> Iterator[SettingsWarning]:
    assist = designer.assist
    if assist.mode is Mode.AUTO and not assist.auto.intents:
        yield SettingsWarning(
            ("assist", "mode"),
            "assist.mode is auto and assist.auto.intents is empty: nothing is sent automatically",
            "name the intents in assist.auto.intents, or set assist.mode to suggest",
        )
    if bridge.rasa.replies == "customer" and not bridge.readers:
        for number, rule in enumerate(assist.when):
            if rule.reply is None:
                yield SettingsWarning(
                    ("assist", "when", number),
                    f"assist.when[{number}] names no reply: with rasa.replies: customer the bot's "
                    "own replies are never suggested",
                    "add the key reply, or set rasa.replies to silent in bridge.yml",
                )
    if designer.handoff.then == "assist" and not assist.when and assist.mode is not Mode.OFF:
        yield SettingsWarning(
            ("assist", "when"),
            "handoff.then is assist and assist.when is empty: nothing is ever suggested",
            "add items to assist.when, or set handoff.then to pause",
        )


def _hours(designer: HandoffSettings) -> Iterator[SettingsWarning]:
    handoff = designer.handoff
    if handoff.hours is None and handoff.closed != HandoffRules().closed:
        yield SettingsWarning(
            ("handoff", "closed"),
            "handoff.closed is not used: handoff.hours is not set",
            "set handoff.hours, or remove handoff.closed",
        )
    if handoff.hours is not None:
        yield from _overlaps(handoff.hours)


class _WeekSpan(NamedTuple):
    begin: int  # minutes since Monday, 00:00
    end: int
    key: str  # of the week
    number: int


def _overlaps(hours: HoursSettings) -> Iterator[SettingsWarning]:
    """Yield a warning for each span that another one overlaps, also over midnight."""
    spans = sorted(
        _WeekSpan(day * DAY + span.begin, day * DAY + span.end, key, number)
        for key, listed in hours.week.items()
        for number, span in enumerate(listed)
        for day in days_of(key)
    )
    again = [each._replace(begin=each.begin + WEEK, end=each.end + WEEK) for each in spans[:1]]
    reported: set[tuple[str, int]] = set()
    for first, second in pairwise([*spans, *again]):
        where = (second.key, second.number)
        if second.begin < first.end and where not in reported:
            reported.add(where)
            yield SettingsWarning(
                ("handoff", "hours", "week", *where),
                f"this span begins before another of handoff.hours.week ({first.key}) has ended",
                "correct one of the two, or write them as one span",
            )


def _languages(designer: HandoffSettings) -> Iterator[SettingsWarning]:
    default = code_of(designer.language.default)
    for key in designer.handoff.ANNOUNCEMENTS:
        names = getattr(designer.handoff, key)
        if not isinstance(names, Mapping):
            continue
        known = {code_of(code) for code in names}
        if not any(default == code or default.startswith(f"{code}-") for code in known):
            yield SettingsWarning(
                ("handoff", key),
                f"handoff.{key} has no response for language.default: customers of a language that "
                "it does not name, and of none, get the built-in text",
                f"add the language {printable(designer.language.default)}, or change "
                "language.default",
            )
