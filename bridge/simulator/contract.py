"""The published contract as tables: paths, fields, values, sizes and retcodes.

Each table names the section of the gateway's API reference that it was transcribed from. If a
field has a second rule, that is the narrower reading of an unconfirmed row and applies with
``strict``. This module does not read requests; ``checks`` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

BASE = "/agentgateway/resource/"

# Retcodes (sections 1 and 2). INVALID is used where the contract gives a rule but no retcode for
# breaking it: it is listed as final, without a meaning.
SUCCESS = "0"
INVALID = "000-002"
NO_PERMISSION = "000-003"
BUSY = "000-004"  # listed under "wait and retry"; used for overlapping sign-ins and sign-outs
ALREADY_SIGNED_IN = "100-002"
BAD_CREDENTIALS = "100-004"
NOT_SIGNED_IN = "100-006"
FORCE_NOT_ALLOWED = "100-015"
MULTIMEDIA_OFF = "106-001"
EMPTY_MESSAGE = "106-002"
NO_SUCH_CALL = "106-007"  # one of the codes listed without a meaning, all of which are final

AGENT_MIN = 101
MAX_BODY = 1_000_000  # bytes; not published
CONTENT_CAPS = {"platform": 1900, "business": 3800}  # bytes: 1.9 KB and 3.8 KB
GUID_COOKIE = "JSESSIONID="  # precedes the GUID in Set-GUID
STATUS_BUSY, STATUS_IDLE, STATUS_WRAP_UP = "3", "4", "5"

CHANNELS = (
    "WEB",
    "WECHAT",
    "TWITTER",
    "FACEBOOK",
    "5G",
    "EMAIL",
    "VOICE",
    "LINE",
    "WHATSAPP",
    "SMS",
    "INSTAGRAM",
    "TELEGRAM",
)
MEDIA_TYPES = (
    "TEXT",
    "IMAGE",
    "AUDIO",
    "VIDEO",
    "LOCATE",
    "EMOTICONS",
    "CARD",
    "MULTICARD",
    "EMAIL",
    "WHATSAPPTEMPLATE",
    "RICHTEXT",
    "WEBCARD",
    "SMSTEMPLATE",
    "LOCATION",
    "DOCUMENT",
    "COBROWSESITE",
)
FILE_TYPES: Mapping[str, tuple[str, ...]] = {  # spelled as published, RTF included
    "IMAGE": ("jpg", "png", "jpeg"),
    "AUDIO": ("mp3", "aac", "m4a", "mp4"),
    "EMOTICONS": ("gif",),
    "DOCUMENT": ("doc", "docx", "pdf", "zip", "RTF"),
}  # VIDEO has a row without values; the other media types have no row
WEBCARD_FIELDS = ("title", "description", "mediaFileId", "mediaFileType", "redirectUrl")

Rule = Callable[[object], "str | None"]  # returns None, or what is allowed instead


def text(longest: int | None = None, pattern: str | None = None, *, empty: bool = False) -> Rule:
    """Return a rule for a string: not blank unless ``empty``, at most ``longest`` characters."""
    shape = re.compile(pattern) if pattern else None
    allowed = "a string" if empty else "a string that is not blank"
    if longest is not None:
        allowed += f", at most {longest} characters"
    if pattern:
        allowed += f", {pattern}"

    def rule(value: object) -> str | None:
        good = (
            isinstance(value, str)
            and (empty or bool(value.strip()))
            and (longest is None or len(value) <= longest)
            and (shape is None or (empty and not value) or bool(shape.fullmatch(value)))
        )
        return None if good else allowed

    return rule


def one_of(*values: str, numbers: bool = False) -> Rule:
    """Return a rule for one of ``values``, case-sensitive; with ``numbers`` also as a number."""
    known = frozenset(values)

    def rule(value: object) -> str | None:
        if numbers and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        good = isinstance(value, str) and value in known
        return None if good else "one of " + ", ".join(values)

    return rule


def boolean(value: object) -> str | None:
    """Check a boolean, which may be a string, as in the samples."""
    good = isinstance(value, bool) or value in ("true", "false")
    return None if good else "true or false"


def number(value: object) -> str | None:
    """Check a whole number, which may be a string."""
    good = (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, str) and value.isdecimal()
    )
    return None if good else "a whole number"


def epoch_ms(value: object) -> str | None:
    """Check epoch milliseconds: a string in the table, a JSON number in the sample."""
    digits = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    good = isinstance(digits, str) and bool(re.fullmatch(r"[12]\d{12}", digits))
    return None if good else "epoch milliseconds (13 digits), a string or a number"


@dataclass(frozen=True, slots=True)
class Field:
    """A row of a table."""

    rule: Rule
    mandatory: bool = False
    strict: Rule | None = None


CALL_ID = text(64, "[A-Za-z0-9_-]+")
CALL_ID_STRICT = text(64, "[0-9]+-[0-9]+")  # as in every sample
_CALL = Field(CALL_ID, mandatory=True, strict=CALL_ID_STRICT)

# Section 1, the request's fields. The format of `data` depends on the deployment.
SEND = {
    "callid": _CALL,
    "userid": Field(text(empty=True)),
    "data": Field(text(empty=True), mandatory=True),
}
# The sample of the public cloud repeats the text in `content`; no table lists it.
SEND_SAMPLE = {**SEND, "content": Field(text(empty=True))}

# Section 1, the table of `data`.
DATA = {
    "from": Field(text(), mandatory=True),
    "to": Field(text(), mandatory=True),
    "channel": Field(one_of(*CHANNELS), mandatory=True),
    "controlType": Field(one_of("CHAT"), mandatory=True),
    "mediaType": Field(one_of(*MEDIA_TYPES), mandatory=True),
    "messageCode": Field(text(), mandatory=True),
    "mediaFileType": Field(text(empty=True), strict=text()),
    "senderNickname": Field(text(), mandatory=True),
    "senderAvatar": Field(text(), mandatory=True),
    "sendTime": Field(epoch_ms, mandatory=True),
    "content": Field(text(empty=True), mandatory=True),
    "contentType": Field(one_of("0", "1", numbers=True), strict=one_of("0", "1")),
    "userId": Field(text(), mandatory=True),
}

# Section 2, sign in and forced sign in.
SIGN_IN = {
    "password": Field(text(32), mandatory=True),
    "phonenum": Field(text(24), mandatory=True),
    "autoanswer": Field(boolean),
    "autoenteridle": Field(boolean),
    "releasephone": Field(boolean),
    "agenttype": Field(number),
    "status": Field(one_of(STATUS_BUSY, STATUS_IDLE, STATUS_WRAP_UP, numbers=True)),
    "checkInWebm": Field(boolean),
    "callBackUri": Field(text(200)),
    # "no special characters": whether - and _ count as special is not specified
    "serviceToken": Field(text(50, "[A-Za-z0-9_-]+"), strict=text(50, "[A-Za-z0-9]+")),
    "ip": Field(text()),
    "phonelinkage": Field(number),
}

# Section 4.
REJECT = {"callid": _CALL}
TRANSFER = {
    "callid": _CALL,
    "devicetype": Field(one_of("1", "2", "4", numbers=True), mandatory=True),
    "mode": Field(one_of("0", "2", numbers=True), mandatory=True),
    "address": Field(text(), mandatory=True),
    "caller": Field(text(empty=True)),
    "calldata": Field(text(empty=True)),
    "skillId": Field(number),
}
CALLNUMS_MAX = 60
CALL_NUMS = {
    "mediaType": Field(
        one_of("1", "2", "4", "5", "15", "16", "17", "19", "51", "53"), mandatory=True
    ),
    "callnums": Field(text(2, "[1-9][0-9]?"), mandatory=True),
}

# Every path, most used first: method, path, operation, and the query parameters that it takes.
# {agent} and the other placeholders are passed to the operation.
ROUTES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("POST", "mediacall/{agent}/sendmessage", "send_message", ()),
    ("GET", "agentevent/{agent}", "poll", ()),
    ("PUT", "onlineagent/{agent}", "sign_in", ()),
    ("PUT", "onlineagent/{agent}/forcelogin", "force_sign_in", ()),
    ("DELETE", "onlineagent/{agent}/logout", "sign_out", ()),
    ("DELETE", "onlineagent/{agent}/forcelogout", "force_sign_out", ()),
    ("POST", "onlineagent/{agent}/handshake", "handshake", ()),
    ("PUT", "onlineagent/{agent}/updateGuid", "update_guid", ()),
    ("POST", "onlineagent/{agent}/resetskill/{flag}", "reset_skill", ("skillid", "phonelinkage")),
    ("POST", "onlineagent/{agent}/syncagentinfo", "synchronise", ()),
    ("POST", "onlineagent/{agent}/sayfree", "say_free", ()),
    ("POST", "onlineagent/{agent}/saybusy", "say_busy", ("reason",)),
    ("POST", "onlineagent/{agent}/cancelbusy", "cancel_busy", ()),
    ("POST", "onlineagent/{agent}/work", "work", ()),
    ("POST", "onlineagent/{agent}/cancelwork", "cancel_work", ()),
    ("PUT", "voicecall/{agent}/answer", "answer_call", ("callid",)),
    ("POST", "voicecall/{agent}/dropcall/{callid}", "drop_call", ()),
    ("DELETE", "voicecall/{agent}/release", "release", ()),
    ("POST", "voicecall/{agent}/reject", "reject", ()),
    ("POST", "mediacall/{agent}/transfer", "transfer", ()),
    ("POST", "mediacall/{agent}/setcallnums", "set_call_nums", ()),
    ("GET", "calldata/{agent}/callinfobycallid/{callid}", "look_up", ()),
)
