"""Signs one agent in and out again, to try the account. Only on request."""

from __future__ import annotations

from bridge.config.settings import BridgeSettings
from bridge.doctor.diagnosis import Diagnosis, error, ok, warning
from bridge.errors import AlreadySignedInError, BridgeError, GatewayError
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.model import Guid
from bridge.state.records import SessionState
from bridge.store import condition

_SECONDS = 10.0
_ENDED = (SessionState.SIGNED_OUT, SessionState.REFUSED)


def require_free(settings: BridgeSettings, agent_id: str) -> None:
    """Check that a sign-in disturbs neither a session nor a desktop.

    Raises:
        BridgeError: the agent may have one, or is not signed in by the bridge.
    """
    if not wire.is_agent_id(agent_id, highest=settings.gateway.max_agent_id):
        raise BridgeError(
            f"--sign-in: an agent ID is a number up to {settings.gateway.max_agent_id}"
        )
    agent = settings.agents.get(agent_id)
    if agent is None or agent.session != "sign_in":
        raise BridgeError(
            f"agent {agent_id} has no entry with session: sign_in under agents: a desktop owns the"
            " session, and a sign-in here would disturb it"
        )
    stored = condition.session(settings.storage.url, agent_id)
    if stored is not None and stored.state not in _ENDED:
        raise BridgeError(
            f"agent {agent_id} has a session ({stored.state.value}), which a sign-in would"
            " disturb: sign the agent out first (DELETE /bridge/sessions), or try another agent"
        )


def sign_in(
    client: GatewayClient, settings: BridgeSettings, agent_id: str
) -> tuple[Diagnosis, Guid | None]:
    """Sign an agent in as busy, never by force; return the outcome."""
    key = f"agents.{agent_id}"
    request = wire.sign_in(agent_id, settings.agents[agent_id])
    try:
        guid = client.call(agent_id, request, timeout=_SECONDS).guid
    except AlreadySignedInError as failure:
        hint = "a desktop has this agent: use session: pushed, or sign the desktop out"
        return error(key, str(failure), allowed="a free agent", hint=hint), None
    except GatewayError as failure:
        hint = "check password and phone, and the account at the gateway"
        return error(key, str(failure), allowed="a sign-in", hint=hint), None
    if guid is None:
        hint = "compare gateway.auth_mode with the platform's AUTHMODE"
        return error(key, "the sign-in's response has no GUID", hint=hint), None
    return ok(key, "signed in"), guid


def sign_out(client: GatewayClient, agent_id: str, guid: Guid) -> Diagnosis:
    """Sign the agent out."""
    key = f"agents.{agent_id}"
    try:
        client.call(agent_id, wire.sign_out(agent_id), guid=guid, timeout=_SECONDS)
    except GatewayError as failure:
        hint = "wait two minutes: without polls, the gateway ends the session"
        return warning(key, f"could not be signed out: {failure}", hint=hint)
    return ok(key, "signed out again")
