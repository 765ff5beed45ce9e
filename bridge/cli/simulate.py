"""``cc-bridge simulate``: run a simulated CC-Gateway to try the bridge with."""

from __future__ import annotations

import typer

from bridge.simulator.command import gateway

app = typer.Typer(name="simulate", help="Run simulators of other systems.", no_args_is_help=True)
app.command("gateway")(gateway)


@app.callback()
def _group() -> None:
    """Keep `gateway` a command of its own while it is the only one."""
