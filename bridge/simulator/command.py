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
    port: Annotated[int, typer.Option(help="0 takes a free one")] = 8043,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    deployment: Annotated[
        options.Deployment, typer.Option(help="data is JSON, or plain text")
    ] = _DEFAULT.deployment,
    auth_mode: Annotated[
        options.AuthMode, typer.Option(help="whether GUIDs rotate")
    ] = _DEFAULT.auth_mode,
    encryption: Annotated[
        options.Encryption, typer.Option(help="1,900 or 3,800 bytes of content")
    ] = _DEFAULT.encryption,
    limit_counts: Annotated[
        options.Counted, typer.Option(help="what that cap counts")
    ] = _DEFAULT.limit_counts,
    calls: Annotated[
        options.AcceptedCallIds, typer.Option(help="which call IDs a message may name")
    ] = _DEFAULT.calls,
    agent: Annotated[
        list[str] | None,
        typer.Option(help="ID:PASSWORD of an account; repeatable; none: anybody may sign in"),
    ] = None,
    max_agent_id: Annotated[int, typer.Option(help="highest agent ID")] = _DEFAULT.max_agent_id,
    poll_seconds: Annotated[
        float, typer.Option(help="how long a poll without an event lasts")
    ] = _DEFAULT.poll_seconds,
    guid_interval_ms: Annotated[
        float, typer.Option(help="GUIDINTERVAL: a new GUID so often")
    ] = _DEFAULT.guid_interval_ms,
    guid_timeout_ms: Annotated[
        float, typer.Option(help="GUIDTIMEOUT: a former GUID is good so long after its issue")
    ] = _DEFAULT.guid_timeout_ms,
    signout_seconds: Annotated[
        float, typer.Option(help="signed out after so long without a poll or handshake")
    ] = _DEFAULT.signout_seconds,
    cookie: Annotated[
        options.Cookie, typer.Option(help="a load balancer's cookie")
    ] = _DEFAULT.cookie,
    rotate_on: Annotated[
        options.RotateOn, typer.Option(help="which replies bring a new GUID")
    ] = _DEFAULT.rotate_on,
    delay_ms: Annotated[
        float, typer.Option(help="each sendmessage takes this long")
    ] = _DEFAULT.delay_ms,
    record: Annotated[
        options.Record, typer.Option(help="how much is kept of each request")
    ] = _DEFAULT.record,
    strict: Annotated[  # noqa: FBT002 - typer makes a flag of it
        bool, typer.Option("--strict", help="the narrower reading of what is not confirmed")
    ] = False,
    refuse_force: Annotated[  # noqa: FBT002 - typer makes a flag of it
        bool, typer.Option("--refuse-force", help="forcelogin is not allowed (100-015)")
    ] = False,
) -> None:
    """Run a CC-Gateway to test against: strict, recording, with scripted faults."""
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
