"""Commands of every kind with values that nobody should send, made by hypothesis."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any

from hypothesis import strategies as st

from bridge.errors import AssignmentError, GatewayError, RasaError
from bridge.model import Assignment, Guid, ReceivedEvent
from bridge.planners import PLANNERS
from bridge.state import commands
from bridge.state.commands import ActionKind, Command
from bridge.turn import Turn
from tests.core.rig import turn
from tests.making import NOW, assignment

TEXTS = (
    "",
    " ",
    "A",
    "B",
    "customer-A",
    "291",
    "29100000000",
    "\ud800",
    "\udfff and words",
    "\0",
    "words\0with one",
    "'; DROP TABLE deliveries; --",
    "%s {value} ? :x",
    "x" * 10_000,
    "\u202e\u0301\U0001f469\u200d\U0001f467",
    "null",
    "[]",
    "-1",
)
NUMBERS = (0, 1, 2, -1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**400)
TIMES = (
    0.0,
    -0.0,
    1.0,
    NOW,
    NOW + 1.0,
    -1e18,
    1e18,
    1.7e308,
    5e-324,
    float("inf"),
    float("-inf"),
    float("nan"),
)
TABLES = ("deliveries", "events", "turns", "no such table", "deliveries; --", "")

texts = st.sampled_from(TEXTS) | st.text(st.characters(), max_size=20)
numbers = st.sampled_from(NUMBERS) | st.integers(-3, 3)
times = st.sampled_from(TIMES) | st.floats()
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | times | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def _error(kind: type[GatewayError]) -> st.SearchStrategy[GatewayError]:
    return st.builds(kind, texts, retcode=texts, status=st.sampled_from([0, 200, 401, 503, -1]))


def _all_errors(kind: type[GatewayError]) -> list[type[GatewayError]]:
    return [kind, *(deeper for each in kind.__subclasses__() for deeper in _all_errors(each))]


gateway_errors = st.sampled_from(
    [each for each in _all_errors(GatewayError) if each.__module__ == "bridge.errors"]
).flatmap(_error)
_turns = st.builds(
    turn,
    texts,
    number=numbers,
    action=st.sampled_from(ActionKind),
    at=times,
    intent=texts | st.sampled_from(["human_handoff", "ask_hours"]),
    confidence=times,
    paused=st.booleans(),
)
_assignments = st.builds(
    assignment, **dict.fromkeys(("sender_id", "agent_id", "call_id", "user_id"), texts)
)
_special: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: numbers,
    float: times,
    bool: st.booleans(),
    Any: anything,
    Guid: texts,
    ReceivedEvent: st.builds(ReceivedEvent, texts, anything, anything),
    Turn: _turns,
    GatewayError: gateway_errors,
    RasaError: st.builds(RasaError, texts, status=numbers, unknown=st.booleans()),
    AssignmentError: st.builds(AssignmentError, texts, texts),
    type(None): st.none(),
    Assignment: _assignments,
}


def of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type that are as bad as the type allows."""
    if hasattr(hint, "__supertype__") and hint not in _special:
        hint = hint.__supertype__
    if hint in _special:
        return _special[hint]
    origin = typing.get_origin(hint)
    if origin is not None:
        return _of_several(origin, typing.get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    assert is_dataclass(hint), hint
    return values(hint)  # type: ignore[arg-type]


def _of_several(origin: Any, arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(of(each) for each in arguments))
    if origin is Mapping:
        return st.dictionaries(of(arguments[0]), of(arguments[1]), max_size=3)
    if origin is frozenset:
        return st.frozensets(of(arguments[0]), max_size=3)
    assert origin in (Sequence, tuple), origin
    return st.lists(of(arguments[0]), max_size=3).map(tuple)


def values(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Instances of a frozen class; what it has a default for is left to it now and then."""
    hints = typing.get_type_hints(kind)
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for each in fields(kind):
        bare = each.default is MISSING and each.default_factory is MISSING
        (required if bare else optional)[each.name] = of(hints[each.name])
    if kind in (commands.PruneRows, commands.EraseRows):
        required["table"] = st.sampled_from(TABLES)
    return st.fixed_dictionaries(required, optional=optional).map(lambda given: kind(**given))


nonsense: st.SearchStrategy[Command] = st.sampled_from(list(PLANNERS)).flatmap(values)
