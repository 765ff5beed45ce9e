"""``simulate gateway``: convert command-line options to the simulator's settings and run it."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from bridge.simulator import options
from bridge.simulator.options import SimulatorSettings

_DEFAULT = SimulatorSettings()


def _accounts(options: list[str]) -> dict[str, str]:
    accounts = {}
    for option in options:
        agent_id, colon, password = option.partition(":")
        if not colon or not password:
            msg = f"--agent takes ID:PASSWORD, found {option!r}"
            raise typer.BadParameter(msg)
        accounts[agent_id] = password
    return accounts


def _settings(given: dict[str, Any]) -> SimulatorSettings:
    try:
        return SimulatorSettings.model_validate(given)
    except ValidationError as error:
        faults = [f"{e['loc'][0]}: {e['msg']}" for e in error.errors()]
        raise typer.BadParameter("; ".join(faults)) from None


def gateway(
    port: Annotated[int, typer.Option(help="port to listen on; 0 for any free port")] = 8043,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    deployment: Annotated[
        options.Deployment, typer.Option(help="format of data: JSON or plain text")
    ] = _DEFAULT.deployment,
    auth_mode: Annotated[
        options.AuthMode, typer.Option(help="dynamic GUIDs rotate, static ones do not")
    ] = _DEFAULT.auth_mode,
    encryption: Annotated[
        options.Encryption,
        typer.Option(help="size limit: 1,900 bytes (platform) or 3,800 (business)"),
    ] = _DEFAULT.encryption,
    limit_counts: Annotated[
        options.Counted, typer.Option(help="what the size limit applies to")
    ] = _DEFAULT.limit_counts,
    calls: Annotated[
        options.AcceptedCallIds, typer.Option(help="which call IDs are accepted in a message")
    ] = _DEFAULT.calls,
    agent: Annotated[
        list[str] | None,
        typer.Option(help="account as ID:PASSWORD; repeatable; by default, any agent can sign in"),
    ] = None,
    max_agent_id: Annotated[int, typer.Option(help="highest agent ID")] = _DEFAULT.max_agent_id,
    poll_seconds: Annotated[
        float, typer.Option(help="duration of a poll without an event")
    ] = _DEFAULT.poll_seconds,
    guid_interval_ms: Annotated[
        float, typer.Option(help="GUIDINTERVAL: time between two GUIDs")
    ] = _DEFAULT.guid_interval_ms,
    guid_timeout_ms: Annotated[
        float, typer.Option(help="GUIDTIMEOUT: lifetime of a former GUID, from its issue")
    ] = _DEFAULT.guid_timeout_ms,
    signout_seconds: Annotated[
        float,
        typer.Option(help="time without a poll or handshake after which an agent is signed out"),
    ] = _DEFAULT.signout_seconds,
    cookie: Annotated[
        options.Cookie, typer.Option(help="cookie of a simulated load balancer")
    ] = _DEFAULT.cookie,
    rotate_on: Annotated[
        options.RotateOn, typer.Option(help="which responses contain a new GUID")
    ] = _DEFAULT.rotate_on,
    delay_ms: Annotated[
        float, typer.Option(help="duration of each sendmessage")
    ] = _DEFAULT.delay_ms,
    record: Annotated[
        options.Record, typer.Option(help="how much of each request is recorded")
    ] = _DEFAULT.record,
    strict: Annotated[  # noqa: FBT002 - typer makes a flag of it
        bool,
        typer.Option("--strict", help="apply the stricter interpretation of unconfirmed rules"),
    ] = False,
    refuse_force: Annotated[  # noqa: FBT002 - typer makes a flag of it
        bool, typer.Option("--refuse-force", help="refuse forcelogin (100-015)")
    ] = False,
) -> None:
    """Run a simulated CC-Gateway that validates and records requests and injects faults."""
    from bridge.simulator import server  # noqa: PLC0415 - Sanic is loaded only when it serves

    settings = _settings(
        {
            "deployment": deployment,
            "auth_mode": auth_mode,
            "encryption": encryption,
            "limit_counts": limit_counts,
            "calls": calls,
            "agents": _accounts(agent or []),
            "max_agent_id": max_agent_id,
            "poll_seconds": poll_seconds,
            "guid_interval_ms": guid_interval_ms,
            "guid_timeout_ms": guid_timeout_ms,
            "signout_seconds": signout_seconds,
            "cookie": cookie,
            "rotate_on": rotate_on,
            "delay_ms": delay_ms,
            "record": record,
            "strict": strict,
            "force_login": not refuse_force,
        }
    )
    if host not in ("127.0.0.1", "::1", "localhost"):
        sys.stderr.write(
            f"warning: {host} is not loopback; the record shows passwords and GUIDs to anybody\n"
        )
    try:
        server.run(settings, host, port)
    except OSError as error:
        sys.stderr.write(f"cannot listen on {host}:{port}: {error.strerror}\n")
        raise typer.Exit(1) from None
