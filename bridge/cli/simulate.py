"""``cc-bridge simulate``: try the bridge with a simulated CC-Gateway, customer and agent."""

from __future__ import annotations

import typer

from bridge.cli.chat import chat
from bridge.simulator.command import gateway

app = typer.Typer(name="simulate", help="Try the bridge without a gateway.", no_args_is_help=True)
app.command("gateway")(gateway)
app.command("chat")(chat)
