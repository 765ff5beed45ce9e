"""``--keep``: both servers answer until Ctrl-C, at the addresses that are printed."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

from tests.demo.conftest import Given, Kept
from tests.demo.test_the_show import programs_in


def test_both_servers_answer_until_ctrl_c(given: Given, kept: Kept) -> None:
    assert given.code == 0  # beside this one
    kept.wait_until_it_stays()
    assert "All 24 expectations hold." in kept.output

    assert len(_asked(kept.found(r"curl -s (http\S+/simulator/messages)"))["items"]) == 5

    token_file = Path(kept.found(r"is in (\S+api-token)"))
    assert token_file.parent.stat().st_mode & 0o077 == 0
    calls = _asked(kept.found(r"(http\S+/bridge/calls)"), token_file.read_text(encoding="utf-8"))
    assert {each["sender_id"]: each["owner"] for each in calls["items"]} == {
        "maria": "agent",
        "li": "agent",
        "ben": "bot",
    }

    assert len(programs_in(kept.temporary)) >= 2
    assert kept.interrupt() == 0
    assert programs_in(kept.temporary) == []
    assert list(kept.temporary.iterdir()) == []


def _asked(url: str, token: str | None = None) -> dict[str, list[dict[str, str]]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    opener = build_opener(ProxyHandler({}))
    with opener.open(Request(url, headers=headers), timeout=20) as answer:  # noqa: S310 - loopback
        found: dict[str, list[dict[str, str]]] = json.load(answer)
        return found
