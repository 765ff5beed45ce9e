"""``--keep``: both servers answer until Ctrl-C, and a customer writes to the agent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from tests.demo.conftest import Given, Kept
from tests.demo.test_the_show import programs_in
from tests.gateway.rig import until


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
        "sofia": "agent",
    }

    page = urlsplit(kept.found(r"(http\S+/inbox\S+)"))
    assert kept.output.rstrip().endswith(page.geturl())
    assert _first_offered(page)["text"].startswith("You can pick it up at our shop")

    _answer(page, "You can pick it up tomorrow.")
    asked = "Sorry, I cannot make it to the shop. What does delivery cost?"
    until(lambda: _first_offered(page).get("question") == asked, seconds=60)

    assert len(programs_in(kept.temporary)) >= 2
    assert kept.interrupt() == 0
    assert programs_in(kept.temporary) == []
    assert list(kept.temporary.iterdir()) == []


def _first_offered(page: SplitResult) -> dict[str, str]:
    path = f"/bridge/suggestions?call_id={_call(page)}&state=offered"
    items = _asked(f"http://{page.netloc}{path}", _token(page))["items"]
    return max(items, key=lambda each: each["source"]["confidence"], default={})


def _answer(page: SplitResult, text: str) -> None:
    path = f"http://{page.netloc}/bridge/calls/{_call(page)}/replies"
    _asked(path, _token(page), json.dumps({"text": text, "client_id": "1"}).encode())


def _call(page: SplitResult) -> str:
    return parse_qs(page.query)["callid"][0]


def _token(page: SplitResult) -> str:
    return page.fragment.removeprefix("token=")


def _asked(url: str, token: str | None = None, body: bytes | None = None) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    opener = build_opener(ProxyHandler({}))
    request = Request(url, body, headers)  # noqa: S310 - loopback
    with opener.open(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
