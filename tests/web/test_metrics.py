"""``/bridge/metrics`` over the wire: who may read it, and what it says after a day's work."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.simulator.harness import Simulator
from tests.web.serving import (
    API_TOKEN,
    INBOX_SECRET,
    ActionServer,
    assignment,
    error,
    slots,
    turn,
)
from tests.web.talking import Talk


def scrape(server: ActionServer) -> str:
    answer = server.get("/bridge/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


def value(text: str, name: str, **labels: str) -> float:
    """The sum over the other labels."""
    return sum(
        each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
        if each.name == name and labels.items() <= each.labels.items()
    )


def test_for_systems_and_supervisors_only(talk: Talk) -> None:
    server = talk.server

    def token(**whose: str) -> str:
        return str(server.post("/bridge/tokens", json=whose).json()["token"])

    assert error(server.get("/bridge/metrics", token=None), 401) == "unauthorized"
    anna = token(agent_id="291")
    assert error(server.get("/bridge/metrics", token=anna), 403) == "forbidden"
    for good in (API_TOKEN, token(supervisor="Kim")):
        assert server.get("/bridge/metrics", token=good).status_code == 200


def test_what_agents_and_customers_did(talk: Talk) -> None:
    before = scrape(talk.server)
    (offered,) = talk.asks()
    talk.server.post(f"/bridge/suggestions/{offered['id']}/accept")
    (offered,) = talk.asks()
    talk.server.post(f"/bridge/suggestions/{offered['id']}/reject")
    (sent,) = talk.deliveries()
    talk.settled(sent["id"])
    talk.server.webhook(turn("somebody-unknown"))
    after = scrape(talk.server)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("cc_bridge_suggestions_total", outcome="offered") == 2
    assert grown("cc_bridge_suggestions_total", outcome="accepted") == 1
    assert grown("cc_bridge_suggestions_total", outcome="rejected") == 1
    assert grown("cc_bridge_deliveries_settled_total", state="delivered") == 1
    assert grown("cc_bridge_attempt_seconds_count", outcome="delivered") == 1
    assert grown("cc_bridge_delivery_seconds_count") == 1
    assert grown("cc_bridge_handoffs_total", outcome="no_assignment") == 1
    assert value(after, "cc_bridge_sign_ins_total", outcome="accepted") == 1
    assert value(after, "cc_bridge_calls_open") >= 1
    assert value(after, "cc_bridge_sessions", state="signed_in") >= 1


def test_no_id_and_no_word_is_in_it(talk: Talk) -> None:
    talk.asks()
    text = scrape(talk.server)
    for secret in (talk.sender_id, talk.call_id, "10 EUR", API_TOKEN, INBOX_SECRET):
        assert secret not in text
    labels = {
        value
        for family in text_string_to_metric_families(text)
        for each in family.samples
        for value in each.labels.values()
    }
    assert "291" not in labels


def test_whichever_of_two_workers_answers_the_counts_are_the_servers(tmp_path: Path) -> None:
    with Simulator("--poll-seconds", "0.2") as gateway:
        bridge = {"gateway": {"url": gateway.url}}
        workers = {"ACTION_SERVER_SANIC_WORKERS": "2"}
        with ActionServer(tmp_path, bridge=bridge, environ=workers) as server:
            for number in range(12):
                name = f"customer-{number}"
                server.put(f"/bridge/assignments/{name}", json=assignment(call_id=name))
                server.http.close()  # so that the next request may meet the other worker
                assert slots(server.webhook(turn(name)))["handoff_delivery"] == "delivered"
            for _ in range(8):
                server.http.close()
                text = scrape(server)
                assert value(text, "cc_bridge_calls_open") == 12
                assert value(text, "cc_bridge_deliveries", state="waiting") == 0
                assert value(text, "cc_bridge_handoffs_total", outcome="delivered") == 12
                assert value(text, "cc_bridge_deliveries_settled_total", state="delivered") == 12
