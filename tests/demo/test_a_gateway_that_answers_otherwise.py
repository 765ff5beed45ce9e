"""The show against a gateway that does something else: it says so, and ends badly."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bridge.cli.demo.screen import Screen
from bridge.cli.demo.servers import Servers
from bridge.cli.demo.show import perform
from bridge.cli.peers import Peer
from bridge.config import defaults_folder


def test_messages_that_the_gateway_rejects_fail_the_show() -> None:
    shown = io.StringIO()

    def reject(gateway: Peer) -> None:
        fault = {
            "kind": "retcode",
            "retcode": "106-001",
            "path": "mediacall/*/sendmessage",
            "times": None,
        }
        gateway.expect("POST", "/simulator/faults", fault)

    assert perform(Screen(Console(file=shown, width=80)), before=reject) == 1

    told = shown.getvalue()
    assert "no handoff can be made: rejected" in told
    assert "200, retcode 106-001" in told
    assert "I am sorry, nobody can take over just now." in told
    assert "✗  Maria reads the designer's words once" in told
    assert "handed_over.got: expected 1 item, found 0 items" in told
    assert "✗  What Anna accepts goes out in her name" in told
    assert "accepted.clicks.accepted.got: expected 1 item, found 0 items" in told
    assert "expectations do not hold" in told
    assert "End of the log of the action server:" in told
    assert "End of the log of the gateway:" in told


def test_a_show_whose_server_does_not_start_could_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr("bridge.cli.demo.servers._operators_file", lambda *_: "gateway: {}\n")
    assert perform(Screen(Console(file=shown, width=80))) == 2
    assert "the action server ended while it was starting" in shown.getvalue()
    assert "gateway.url" in shown.getvalue()  # from its log


def test_a_bridge_without_the_rule_suggests_nothing_and_fails_the_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = io.StringIO()
    shipped = (defaults_folder() / "handoff.yml").read_text(encoding="utf-8")
    monkeypatch.setattr("bridge.cli.demo.servers.designers_file", lambda: shipped)

    assert perform(Screen(Console(file=shown, width=80))) == 1

    told = shown.getvalue()
    assert "assist.when is empty" in told
    assert "✗  Anna is offered what the bot would say" in told
    assert "accepted.offered: expected 1 item, found 0 items" in told
    assert "✗  What Anna accepts goes out in her name" in told
    assert "accepted.clicks.accepted: expected" in told
    assert "✗  The bot answers on Rasa's channel again" in told
    assert "✗  Rasa is told that the bot has Ben again" in told  # who was sent nothing
    assert "✓  Maria reads the designer's words once" in told


def test_whatever_happens_the_folder_is_removed() -> None:
    with Servers() as servers:
        folder = servers.token_file.parent
        assert folder.is_dir()
    assert not folder.exists()
