"""``cc-bridge token``: makes a signed token and prints it alone on standard output."""

from __future__ import annotations

import json
import sys
import time

import typer

from bridge import config, trust
from bridge.errors import AssignmentError, BridgeError

app = typer.Typer(add_completion=False)


@app.command()
def token(
    assignment: str = typer.Option(
        ...,
        metavar="JSON",
        help='The assignment as JSON: {"sender_id": ..., "agent_id": ..., "call_id": ...,'
        ' "user_id": ...}; - reads it from standard input.',
    ),
    seconds: int = typer.Option(
        trust.LONGEST, min=1, max=trust.LONGEST, help="How long the token is good."
    ),
) -> None:
    """Sign an assignment for a customer message's metadata, key `assignment`."""
    try:
        typer.echo(_sign(sys.stdin.read() if assignment == "-" else assignment, seconds))
    except BridgeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _sign(written: str, seconds: int) -> str:
    settings = config.load()
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
    assignment, warning = trust.assignment_of(
        fields,
        str(fields.get("sender_id") or ""),
        highest_agent=settings.bridge.gateway.max_agent_id,
    )
    if warning:
        typer.echo(warning, err=True)
    return trust.mint(
        assignment, secret=secret.get_secret_value(), now=time.time(), seconds=seconds
    )
