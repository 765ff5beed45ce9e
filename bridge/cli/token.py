"""``cc-bridge token``: issue or revoke signed tokens; a token is the only standard output."""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated

import typer

from bridge import access_tokens, assignment_tokens, config, runtime
from bridge.access_tokens import Role
from bridge.config import Settings
from bridge.errors import AssignmentError, BridgeError

app = typer.Typer(add_completion=False)


@app.command()
def token(
    assignment: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help="Issue an assignment token for the metadata of a customer message (key"
            " `assignment`), from an object with sender_id, agent_id, call_id, user_id and so on;"
            " - reads it from standard input.",
        ),
    ] = None,
    agent: Annotated[
        str | None, typer.Option(metavar="ID", help="Issue an access token for an agent.")
    ] = None,
    supervisor: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Issue an access token for a supervisor, who can read all calls."
        ),
    ] = None,
    revoke: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Revoke a token by its ID, or all tokens of agent:ID or supervisor:NAME.",
        ),
    ] = None,
    seconds: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Lifetime of the token: at most one hour for an assignment, twelve for a person.",
        ),
    ] = None,
) -> None:
    """Issue a signed token, or revoke tokens."""
    chosen = [name for name in (assignment, agent, supervisor, revoke) if name is not None]
    if len(chosen) != 1:
        typer.echo("Use exactly one of --assignment, --agent, --supervisor and --revoke.", err=True)
        raise typer.Exit(2)
    try:
        settings = config.load()
        if revoke is not None:
            _revoke(settings, revoke)
        elif assignment is not None:
            written = sys.stdin.read() if assignment == "-" else assignment
            typer.echo(_assignment(settings, written, seconds or assignment_tokens.LONGEST))
        else:
            role = Role.AGENT if agent is not None else Role.SUPERVISOR
            typer.echo(_person(settings, role, agent or supervisor or "", seconds))
    except BridgeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _assignment(settings: Settings, written: str, seconds: int) -> str:
    secret = settings.bridge.assignment.secret
    if secret is None:
        raise BridgeError(
            "assignment.secret is not set: put a secret of at least 32 bytes into bridge.yml, or"
            " into BRIDGE__ASSIGNMENT__SECRET"
        )
    try:
        fields = json.loads(written)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise AssignmentError("invalid_assignment", "the assignment is not a JSON object")
    assignment, warning = assignment_tokens.assignment_of(
        fields,
        str(fields.get("sender_id") or ""),
        settings.bridge,
    )
    names_channel = fields.get("channel") is not None
    if names_channel:
        assignment_tokens.require_config_id(assignment, settings.bridge)
    if warning:
        typer.echo(warning, err=True)
    return assignment_tokens.mint(
        assignment,
        secret=secret.get_secret_value(),
        now=time.time(),
        seconds=seconds,
        names_channel=names_channel,
        take=assignment_tokens.takes(fields),
    )


def _person(settings: Settings, role: Role, subject: str, seconds: int | None) -> str:
    with runtime.tools(settings, existing=False) as tools:
        text, record = tools.tokens.make(role, subject, seconds=seconds or access_tokens.LONGEST)
    typer.echo(f"token id {record.token_id} (to revoke it)", err=True)
    return text


def _revoke(settings: Settings, what: str) -> None:
    role, colon, subject = what.partition(":")
    with runtime.tools(settings, existing=False) as tools:
        if not colon:
            tools.tokens.revoke(what)
        elif role in {item.value for item in Role} and subject:
            tools.tokens.revoke_all(Role(role), subject)
        else:
            raise BridgeError("write a token's id, agent:ID or supervisor:NAME")
    typer.echo("revoked", err=True)
