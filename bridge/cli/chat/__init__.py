"""``cc-bridge simulate chat``: be a customer of the simulated gateway, or an agent."""

from __future__ import annotations

from enum import Enum
from typing import Annotated
from urllib.parse import urlsplit

import typer

from bridge.cli import terminal
from bridge.cli.chat.agent import AgentChat
from bridge.cli.chat.customer import Caller, CustomerChat
from bridge.cli.chat.transcript import ChatError, Transcript
from bridge.cli.peers import Peer, PeerError

_NOT_RUN = 2  # exit code


def _address(url: str) -> str:
    """Return the URL of a server without a slash at its end."""
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        msg = f"an address such as http://127.0.0.1:8043 is needed, found {url!r}"
        raise typer.BadParameter(msg)
    return url.rstrip("/")


class Side(str, Enum):
    """Whose side of the chat the terminal shows."""

    CUSTOMER = "customer"
    AGENT = "agent"


def chat(
    side: Annotated[
        Side, typer.Option("--as", help="customer of a simulated gateway, or agent at a bridge")
    ] = Side.CUSTOMER,
    agent: Annotated[str, typer.Option(metavar="ID", help="the agent of the call")] = "305",
    gateway: Annotated[
        str,
        typer.Option(metavar="URL", callback=_address, help="customer: address of the simulator"),
    ] = "http://127.0.0.1:8043",
    user: Annotated[str, typer.Option(metavar="ID", help="customer: user ID")] = "88880022",
    channel: Annotated[str, typer.Option(help="customer: channel, such as WEB or LINE")] = "WEB",
    name: Annotated[str, typer.Option(help="customer: nickname")] = "Maria",
    bridge: Annotated[
        str,
        typer.Option(metavar="URL", callback=_address, help="agent: address of the action server"),
    ] = "http://127.0.0.1:5055",
    token: Annotated[
        str,
        typer.Option(
            envvar="BRIDGE_API_TOKEN",
            show_default=False,
            help="agent: token of the API, or the agent's own (cc-bridge token --agent ID)",
        ),
    ] = "",
) -> None:
    """Write with the simulated gateway as a customer, or with the bridge as an agent."""
    transcript = Transcript(terminal.out())
    try:
        if side is Side.CUSTOMER:
            caller = Caller(user=user, channel=channel.upper(), name=name)
            CustomerChat(Peer("simulator", gateway), transcript, caller, agent).run()
        else:
            AgentChat(Peer("bridge", bridge, token or None), transcript, agent).run()
    except (ChatError, PeerError) as error:
        terminal.say(str(error))
        raise typer.Exit(_NOT_RUN) from None
