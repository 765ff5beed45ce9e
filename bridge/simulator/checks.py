"""Validate requests against the contract's tables. Pure: no state, no clock.

Every check returns the parsed value or raises ``Refused``, whose reason lists all faults in words
that tests can search for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.simulator import contract
from bridge.simulator.contract import Field, Rule
from bridge.simulator.options import Counted, Deployment, SimulatorSettings

Json = dict[str, Any]

_SECRET = "password"  # noqa: S105 - a field's name
_SHOWN = 60  # characters of a wrong value in a reason


class Refused(Exception):  # noqa: N818 - named like the recorder's verdict
    """The request violates the contract, or is not allowed in the current state."""

    def __init__(self, retcode: str, reason: str, status: int = 200) -> None:
        super().__init__(reason)
        self.retcode = retcode
        self.reason = reason
        self.status = status


@dataclass(frozen=True, slots=True)
class Message:
    """The message in a sendmessage request."""

    call_id: str
    user_id: str
    text: str
    fields: Json | None  # `data`, decoded; None in a private deployment
    code: str | None  # messageCode


def is_true(value: object) -> bool:
    """Parse a boolean, which may be a string on the wire."""
    return value is True or value == "true"


def json_object(body: bytes) -> Json:
    """Parse a request's body: a JSON object in UTF-8."""
    if len(body) > contract.MAX_BODY:
        raise Refused(contract.INVALID, "body: too large", 413)
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(contract.INVALID, f"body: not JSON in UTF-8 ({error})", 400) from None
    if not isinstance(value, dict):
        raise Refused(contract.INVALID, "body: must be a JSON object", 400)
    return value


def content_type(header: str | None, *, charset: bool) -> None:
    """Require ``application/json``; with ``charset`` (sendmessage) also ``charset=UTF-8``."""
    kind, _, rest = (header or "").partition(";")
    named = rest.strip().lower().replace('"', "")
    valid = kind.strip().lower() == "application/json"
    valid = valid and (named == "charset=utf-8" or (named == "" and not charset))
    if not valid:
        wanted = "application/json; charset=UTF-8"
        reason = f"header Content-Type: must be {wanted}, found {header!r}"
        raise Refused(contract.INVALID, reason, 415)


def agent_id(value: str, highest: int) -> None:
    """Require an agent ID within its range, without signs or leading zeros."""
    if not re.fullmatch("[1-9][0-9]{2,8}", value) or not (
        contract.AGENT_MIN <= int(value) <= highest
    ):
        reason = f"path: the agent ID must be {contract.AGENT_MIN} to {highest}, found {value!r}"
        raise Refused(contract.INVALID, reason)


def call_id(value: str, settings: SimulatorSettings, where: str = "callid") -> str:
    """Require a well-formed call ID in a path or a query, and return it."""
    rule = contract.CALL_ID_STRICT if settings.strict else contract.CALL_ID
    faults: list[str] = []
    _check_value(where, value, rule, faults)
    _raise(faults)
    return value


def table(name: str, fields: Mapping[str, Field], given: Json, *, strict: bool) -> None:
    """Validate ``given`` against a table; ``name`` is its place in the request, for reasons."""
    faults: list[str] = []
    for key in given:
        if key not in fields:
            near = next((field for field in fields if field.lower() == key.lower()), None)
            hint = f" (did you mean {near!r}?)" if near else ""
            faults.append(f"{name}: unknown field {key!r}{hint}")
    for key, field in fields.items():
        if key in given:
            rule = field.strict if strict and field.strict else field.rule
            _check_value(f"{name}.{key}", given[key], rule, faults)
        elif field.mandatory:
            faults.append(f"{name}.{key}: is mandatory and missing")
    _raise(faults)


def query(given: Mapping[str, list[str]], allowed: tuple[str, ...]) -> None:
    """Require that each query parameter is allowed and given only once."""
    faults = [f"query.{key}: given twice" for key, values in given.items() if len(values) > 1]
    if "*" not in allowed:
        faults += [f"query: unknown parameter {key!r}" for key in given if key not in allowed]
    _raise(faults)


def message(body: Json, settings: SimulatorSettings) -> Message:
    """Parse and validate a sendmessage body, for either deployment."""
    private = settings.deployment is Deployment.PRIVATE
    sample = not private and not settings.strict
    fields = contract.SEND_SAMPLE if sample else contract.SEND
    table("body", fields, body, strict=settings.strict)
    text: str = body["data"]
    if not text:
        raise Refused(contract.EMPTY_MESSAGE, "body.data: the message is empty")
    decoded = None if private else _data(text, settings)
    content: str = text if decoded is None else decoded["content"]
    _fits(text if settings.limit_counts is Counted.DATA else content, settings)
    code = None if decoded is None else decoded["messageCode"]
    return Message(body["callid"], body.get("userid", ""), content, decoded, code)


def _data(text: str, settings: SimulatorSettings) -> Json:
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        decoded = None
    if not isinstance(decoded, dict):
        raise Refused(contract.INVALID, "body.data: must be a string that holds a JSON object")
    table("data", contract.DATA, decoded, strict=settings.strict)
    content: str = decoded["content"]
    if content == "" or (settings.strict and not content.strip()):
        raise Refused(contract.EMPTY_MESSAGE, "data.content: the message is empty")
    _file_type(decoded, strict=settings.strict)
    if settings.strict:
        _check_likely_rows(decoded)
    return decoded


def _file_type(decoded: Json, *, strict: bool) -> None:
    file_type = decoded.get("mediaFileType")
    kind = decoded["mediaType"]
    allowed = contract.FILE_TYPES.get(kind)
    if not file_type:
        return
    if allowed is None:  # the type has no row, or VIDEO's row, which lists no values
        reason = f"data.mediaFileType: none is listed for {kind}" if strict else None
    else:
        listed = f"data.mediaFileType: {kind} takes {', '.join(allowed)}, found {file_type!r}"
        reason = listed if file_type not in allowed else None
    if reason:
        raise Refused(contract.INVALID, reason)


def _check_likely_rows(decoded: Json) -> None:
    """Check the rows of section 1 that are marked as likely."""
    faults: list[str] = []
    kind, channel = decoded["mediaType"], decoded["channel"]
    if channel == "EMAIL" and "@" not in decoded["to"]:
        faults.append("data.to: EMAIL takes an address")
    if kind == "LOCATION" and channel != "TELEGRAM":
        faults.append("data.mediaType: LOCATION is Telegram's; elsewhere it is LOCATE")
    if kind == "WEBCARD":
        try:
            card = json.loads(decoded["content"])
        except ValueError:
            card = None
        if not isinstance(card, dict) or set(card) - set(contract.WEBCARD_FIELDS):
            names = ", ".join(contract.WEBCARD_FIELDS)
            faults.append(f"data.content: a WEBCARD is a JSON object of {names}")
    _raise(faults)


def _fits(text: str, settings: SimulatorSettings) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Refused(contract.INVALID, "data: half of a surrogate pair") from None
    cap = contract.CONTENT_CAPS[settings.encryption.value]
    if size > cap:
        what = f"{settings.limit_counts.value}: {size} bytes"
        raise Refused(
            contract.INVALID, f"{what}, at most {cap} with {settings.encryption.value} encryption"
        )


def _check_value(where: str, value: object, rule: Rule, faults: list[str]) -> None:
    allowed = rule(value)
    if allowed:
        found = "" if where.endswith(_SECRET) else f", found {value!r}"
        if len(found) > _SHOWN:
            found = found[:_SHOWN] + "..."
        faults.append(f"{where}: must be {allowed}{found}")


def _raise(faults: list[str]) -> None:
    if faults:
        raise Refused(contract.INVALID, "; ".join(faults))
