"""``cc-bridge``, the command-line tool: one module or package per subcommand.

Subcommands parse options and print results; the use cases are those of the core, the queries and
``bridge.upkeep``. A subcommand's module is imported only when it is run. ``outbox`` is a typical
one to read first.
"""

from __future__ import annotations

from importlib import import_module, metadata
from inspect import cleandoc
from typing import Any

import typer
from typer.core import TyperGroup

from bridge import log_records
from bridge.cli import terminal

_COMMANDS = {
    "demo": "Show a handoff, an assist and a handback from end to end on this machine.",
    "simulate": "Run a simulated CC-Gateway; chat as its customer, or as an agent.",
    "init": "Connect a Rasa bot to the bridge.",
    "validate": "Check the configuration and the Rasa project, and report all faults.",
    "doctor": "Examine the gateway, the database, Rasa and the action server.",
    "preview": "Show how a reply is sent on each channel.",
    "explain": "Say why a conversation was handed off, assisted or neither; or draw the flow.",
    "outbox": "List deliveries, and retry or discard them.",
    "forget": "Erase all data of a customer, a conversation or a call.",
    "report": "Show what became of suggestions.",
    "store": "Copy the database, from SQLite to PostgreSQL or back.",
    "token": "Issue a signed token for an assignment, an agent or a supervisor; or revoke tokens.",
}


class _Lazy(TyperGroup):
    """A command group that imports only the module of the subcommand that is run."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = typer.main.get_command(import_module(f"bridge.cli.{cmd_name}").app)
        command.name = cmd_name
        command.short_help = _COMMANDS[cmd_name]
        _unwrap(command)
        return command


def _unwrap(command: Any) -> None:
    """Join the lines of each paragraph of the help, which typer does with the first one only."""
    paragraphs = cleandoc(command.help or "").split("\n\n")
    command.help = "\n\n".join(" ".join(each.split()) for each in paragraphs)
    for below in getattr(command, "commands", {}).values():
        _unwrap(below)


app = typer.Typer(
    cls=_Lazy,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Connects a Rasa bot with the human agents of a contact centre.",
)


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        typer.echo(metadata.version("rasa-cc-bridge"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command; the entry point of the console script."""
    log_records.install()
    terminal.plain_help()
    app()
