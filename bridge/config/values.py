"""The building blocks of settings: the closed, frozen section and the types of single values.

The keys of the files are not defined here, but in ``operators.py``, ``designers.py`` and
``media.py``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, NamedTuple, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from bridge.config.faults import masked

SECRET_BYTES = 32  # our own tokens and signing secrets are at least this long
CONFLICT = "conflict"  # the error type for a conflict between keys
UNKNOWN_NAME = "unknown_name"  # and for a name that does not exist; may say which one was `meant`

_DURATION = re.compile(r"([0-9]{1,9})\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_KNOWN = frozenset(get_args(core_schema.ErrorType))  # other types carry their own message


def duration(value: object) -> timedelta:
    """Parse ``30d``, ``12h``, ``45m`` or ``90s``.

    Raises:
        ValueError: the value has another format.
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    msg = "a number and a unit: 90s, 45m, 12h or 30d"
    raise ValueError(msg)


def _empty_is_none(value: object) -> object:
    """Convert an empty value, such as ``${NAME:-}`` expands to, to None."""
    return None if value == "" else value


def _no_yes_or_no(value: object) -> object:
    """Reject booleans, because pydantic would read ``true`` as the number 1."""
    if isinstance(value, bool):
        kind = "number_type"
        raise PydanticCustomError(kind, "a number")
    return value


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine, judging by its name alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def code_of(value: object) -> str:
    """Return a language code in lower case with hyphens; ``""`` if ``value`` is not text."""
    return value.strip().replace("_", "-").lower() if isinstance(value, str) else ""


def long_enough(value: SecretStr | None) -> SecretStr | None:
    """Reject a secret of ours that is short enough to be guessed."""
    if value is not None and len(value.get_secret_value().encode()) < SECRET_BYTES:
        msg = f"at least {SECRET_BYTES} bytes; make one with: openssl rand -hex 32"
        raise ValueError(msg)
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,9} *[smhd]$"}),
]
Number = Annotated[float, BeforeValidator(_no_yes_or_no)]
WholeNumber = Annotated[int, BeforeValidator(_no_yes_or_no)]
Fraction = Annotated[Number, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1)]
OptionalText = Annotated[str | None, BeforeValidator(_empty_is_none)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_empty_is_none)]


class Conflict(NamedTuple):
    """What is wrong with keys that are each valid by themselves.

    Attributes:
        path: the key, from the section that reports it.
        allowed: what may stand there, beside the other keys.
        hint: what to change.
        found: what was found, if the value of the key would not say it.
        meant: what was probably meant.
    """

    path: tuple[str, ...]
    allowed: str
    hint: str
    found: str = ""
    meant: str = ""


class Section(BaseModel):
    """A mapping in a file: frozen, closed to unknown keys, with credentials hidden in its repr."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield the conflicts between the keys as written.

        Values may still be of any type: a rule checks those that it can interpret and leaves the
        rest to the validation of the fields.
        """
        del written
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _with_conflicts(cls, value: Any, handler: ModelWrapValidatorHandler[Section]) -> Section:
        """Report conflicts together with the faults of single values, not only after them."""
        errors: list[InitErrorDetails] = []
        checked: Section | None = None
        try:
            checked = handler(value)
        except ValidationError as error:
            errors += (_again(item) for item in error.errors(include_url=False))
        if isinstance(value, Mapping):
            errors += (_conflict(each, value) for each in cls.conflicts(value))
        if checked is None or errors:
            raise ValidationError.from_exception_data(cls.__name__, errors, hide_input=True)
        return checked

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Return pydantic's arguments with the credentials in URLs masked."""
        for name, value in super().__repr_args__():
            yield name, masked(value) if isinstance(value, str) and "://" in value else value


def _conflict(conflict: Conflict, written: Any) -> InitErrorDetails:
    known = {"sentence": conflict.allowed, **conflict._asdict()}
    wrong = PydanticCustomError(CONFLICT, "{sentence}", known)
    return InitErrorDetails(type=wrong, loc=conflict.path, input=written)


def _again(error: ErrorDetails) -> InitErrorDetails:
    """Convert an error to the form in which it can be raised again."""
    kind: Any = error["type"]
    if kind not in _KNOWN:
        known = {**error.get("ctx", {}), "sentence": error["msg"]}
        kind = PydanticCustomError(kind, "{sentence}", known)
        return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"])
    ctx = error.get("ctx", {})
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=ctx)
