"""``cc-bridge demo`` as somebody gives it: another folder, no terminal, a second one beside it."""

from __future__ import annotations

import os
from pathlib import Path

from rich.cells import cell_len

from tests.demo.conftest import Given


def test_it_ends_well(given: Given) -> None:
    assert given.code == 0, given.output
    assert "All 24 expectations hold." in given.output
    assert given.output.count("✓") == 24
    assert "✗" not in given.output


def test_it_shows_what_was_written_decided_sent_and_heard(given: Given) -> None:
    for words in (
        "I would like to talk to a person about the laptop",
        "hand over to agent 291, Anna",
        "intent human_handoff at 0.97, at least 0.6 was asked",
        "handoff_delivery  delivered",
        "action_listen · pause",
        "PUT /agentgateway/resource/onlineagent/291",
        "POST /agentgateway/resource/mediacall/291/sendmessage",
        "Anna ┃ Hello, this is Anna. It is about the laptop, I see.",
        "the same 7 events as before",
        "no handoff can be made: no_assignment",
        "bot ┃ I am sorry, nobody can take over just now.",
        "我的笔记本电脑什么时候到",
        "3 fallbacks in a row",
        "part 2 of 2",
        "channel=WEB · owner=agent",
        "- {intent: ask_price, reply: utter_price}",
        "suggest it to agent 291, Anna",
        "ask_price at 0.85, utter_price",
        "200 accepted by agent 291",
        "409 settled: this suggestion is superseded already",
        "text  It costs 15 EUR to Austria.",
        "200 edited by agent 291",
        "Anna ┃ It costs 15 EUR to Austria.",
        "hand back to the bot",
        "handoff_summary=Time with our team: ",
        "answer: the bot has the call",
        "bot ┃ It costs 10 EUR.",
    ):
        assert words in given.output


def test_every_field_of_the_first_message_is_shown(given: Given) -> None:
    for name, value in given.record["messages"][0]["data"].items():
        assert any(
            name in line and str(value)[:40] in line for line in given.output.splitlines()
        ), name


def test_no_guid_password_or_token_is_shown(given: Given) -> None:
    sign_in = next(each for each in given.record["requests"] if each["operation"] == "sign_in")
    guid = sign_in["answer"]["headers"]["Set-GUID"].removeprefix("JSESSIONID=")
    assert guid[:4] in given.output
    assert guid.partition(".")[0] not in given.output
    assert sign_in["body"]["password"] not in given.output
    assert "earer" not in given.output


def test_eighty_columns_without_colours_are_enough(given: Given) -> None:
    assert "\x1b" not in given.output
    assert max(cell_len(line.rstrip()) for line in given.output.splitlines()) <= 80


def test_nothing_is_left_behind(given: Given) -> None:
    assert list(given.temporary.iterdir()) == []
    assert list(given.folder.iterdir()) == []
    assert programs_in(given.temporary) == []


def programs_in(folder: Path) -> list[str]:
    """Processes that run in a folder below ``folder``, also if it is gone."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where = str((process / "cwd").readlink())
        except OSError:  # gone meanwhile, or not ours to see
            continue
        if where.startswith(f"{folder}{os.sep}"):
            found.append(f"{process.name} {where}")
    return found
