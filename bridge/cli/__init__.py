"""``cc-bridge``: the command. Each subcommand has a module of its own, imported when it is used."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import Any

import typer
from typer.core import TyperGroup

_COMMANDS = {
    "demo": "Show a handoff, an assist and a handback, from end to end, on this machine.",
    "simulate": "Run what the bridge talks to: a CC-Gateway.",
    "validate": "Check the configuration: every fault at once.",
    "preview": "Show what a reply becomes on each channel.",
    "outbox": "See what became of messages; send one again, or take it off the list.",
    "forget": "Erase a customer, a conversation or a call everywhere.",
    "token": "Make a signed token for an assignment, an agent or a supervisor; or revoke.",
}


class _Lazy(TyperGroup):
    """Finds a subcommand's module by its name, so that one does not wait for the others."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        found = typer.main.get_command(import_module(f"bridge.cli.{cmd_name}").app)
        found.name = cmd_name
        found.short_help = _COMMANDS[cmd_name]
        return found


app = typer.Typer(
    cls=_Lazy,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A Rasa bot beside the human agents of a contact centre.",
)


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if version:
        typer.echo(metadata.version("rasa-cc-bridge"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """The console script."""
    app()
