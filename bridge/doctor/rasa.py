"""Rasa: does it answer, does its model know the bridge, and which channels ask for no token?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.config.domain import names_of
from bridge.config.settings import RasaSettings
from bridge.doctor.diagnosis import Diagnosis, error, ok, warning
from bridge.errors import RasaError
from bridge.rasa import Rasa

_KEY = "rasa.url"
_FILE = "bridge.yml"
_UNAUTHORIZED = (401, 403)
_NOT_FOUND = 404
_ACTIONS = ("action_human_handoff", "action_bridge", "action_agent_assist")
_SLOTS = ("handoff_state", "handoff_error")
_OPEN_CHANNELS = ("rest", "callback")  # Rasa's own that ask for no token


def examine(rasa: Rasa | None, settings: RasaSettings) -> Iterator[Diagnosis]:
    """Make a few requests to Rasa's API, none of which runs an action."""
    if rasa is None:
        yield warning(
            _KEY,
            "not set",
            allowed="the address of Rasa's API",
            hint="set it, and start Rasa with --enable-api; without it, nobody can hand a paused"
            " conversation back",
            file=_FILE,
        )
        return
    try:
        domain = rasa.domain()
    except RasaError as failure:
        yield _failed(failure)
    else:
        yield ok(_KEY, "Rasa's API answers")
        yield from _known(domain)
    for name in _OPEN_CHANNELS:
        if rasa.has_channel(name):
            yield warning(
                "rasa.channels",
                f"the channel {name} requires no token: anyone who can reach it can write as any"
                " sender",
                allowed="a channel that only your own back end reaches",
                hint="put a back end in front of it, or use a channel with a token, such as the"
                " one of cc-bridge init",
            )
    if settings.replies == "silent" and rasa.has_channel("callback"):
        yield warning(
            "rasa.replies",
            "silent, and Rasa's callback channel pushes replies by itself: customers get them"
            " twice unless the front end drops them",
            allowed="customer, or a front end that drops Rasa's replies",
            hint='see "After the handoff" in docs/designer.md',
            file=_FILE,
        )


def _failed(failure: RasaError) -> Diagnosis:
    if failure.status in _UNAUTHORIZED:
        found, hint = "Rasa refuses the token", "set rasa.token to the value of Rasa's --auth-token"
    elif failure.status == _NOT_FOUND:
        found, hint = "Rasa's API is switched off", "start Rasa with --enable-api"
    else:
        found, hint = str(failure), "check the address, and that Rasa runs and has loaded a model"
    return error(_KEY, found, allowed="an API that answers", hint=hint, file=_FILE)


def _known(domain: Mapping[str, Any]) -> Iterator[Diagnosis]:
    actions, slots = names_of(domain.get("actions")), names_of(domain.get("slots"))
    if not any(name in actions for name in _ACTIONS):
        yield error(
            "rasa.domain",
            "the model that Rasa runs has no action of the bridge",
            allowed=", ".join(_ACTIONS),
            hint="add them to the domain (cc-bridge init does), and train the model again",
        )
    if missing := [name for name in _SLOTS if name not in slots]:
        yield error(
            "rasa.domain",
            f"the model that Rasa runs lacks the slot {missing[0]}",
            allowed=", ".join(_SLOTS),
            hint="add the slots to the domain (cc-bridge init does), and train the model again",
        )
