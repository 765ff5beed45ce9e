"""The event stream: what changes reaches those whose it is, in order, and can be resumed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.web.reading import SECONDS, Event, Reader
from tests.web.serving import ActionServer, assignment, error
from tests.web.talking import Talk

Make = Callable[..., str]
WITHIN = 0.1  # seconds from storing a suggestion to its event
REVOKED = 5.0


@pytest.fixture
def make(server: ActionServer) -> Make:
    """Mint a token over the API."""

    def mint(**subject: str) -> str:
        answer = server.post("/bridge/tokens", json=subject)
        assert answer.ok, answer.text
        token: str = answer.json()["token"]
        return token

    return mint


@pytest.fixture
def reader(server: ActionServer) -> Iterator[Reader]:
    with Reader(server) as opened:
        yield opened


def of(talk: Talk) -> Callable[[Event], bool]:
    return lambda event: event.data.get("call_id") == talk.call_id


def a(name: str, talk: Talk, **fields: object) -> Callable[[Event], bool]:
    """An event of a call, of which some fields are known."""
    return lambda event: (
        event.name == name and of(talk)(event) and fields.items() <= event.data.items()
    )


def test_it_is_an_event_stream(reader: Reader) -> None:
    assert reader.status == 200
    assert reader.answer.headers["content-type"].startswith("text/event-stream")
    assert reader.answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in reader.answer.headers
    assert reader.last_id is not None  # known before anything happens, so that nothing is missed


def test_each_change_comes_in_the_shape_of_the_api(
    server: ActionServer, reader: Reader, talk: Talk
) -> None:
    call = reader.until(a("call", talk, owner="agent"))
    assert call.data.items() <= server.get(talk.call).json().items()
    (offered,) = talk.asks()
    written = reader.until(a("message", talk))
    assert written.data["from"] == "customer"
    assert written.data["text"] == offered["question"]
    waits = reader.until(a("call", talk))
    assert waits.data["waiting_since"] == written.data["at"]
    assert reader.until(a("suggestion", talk)).data == offered
    server.post(f"/bridge/suggestions/{offered['id']}/accept")
    accepted = reader.until(a("suggestion", talk, state="accepted"))
    assert accepted.data == server.get(f"/bridge/suggestions/{offered['id']}").json()
    delivered = reader.until(a("delivery", talk, state="delivered"))
    assert delivered.data == server.get(f"/bridge/deliveries/{delivered.data['id']}").json()
    said = reader.until(a("message", talk))
    assert said.data["delivery"] == {"id": delivered.data["id"], "state": "delivered"}
    assert said.data in server.get(talk.call).json()["history"]
    assert "waiting_since" not in reader.until(a("call", talk)).data
    assert call.id < accepted.id < delivered.id


def test_each_event_has_an_id_of_its_own(server: ActionServer, talk: Talk) -> None:
    with Reader(server) as reader:
        began = reader.last_id
        talk.asks()
        last = reader.until(a("suggestion", talk)).id
    with Reader(server, last_id=began) as again:
        events = again.upto(last)
    written = next(event for event in events if a("message", talk)(event))
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))
    # A reader that has a message, but not yet what it changed of the call, misses nothing.
    with Reader(server, last_id=written.id) as again:
        assert "waiting_since" in again.until(a("call", talk)).data


def test_a_copied_suggestion_answers_the_customer(
    server: ActionServer, reader: Reader, talk: Talk
) -> None:
    (offered,) = talk.asks()
    waits = reader.until(a("call", talk, owner="agent"))
    while "waiting_since" not in waits.data:
        waits = reader.until(a("call", talk))
    server.post(f"/bridge/suggestions/{offered['id']}/copy")
    assert reader.until(a("suggestion", talk, state="copied")).data["id"] == offered["id"]
    assert "waiting_since" not in reader.until(a("call", talk)).data
    assert "waiting_since" not in server.get(talk.call).json()
    talk.asks()
    while "waiting_since" not in (again := reader.until(a("call", talk)).data):
        pass
    assert again["waiting_since"] == server.get(talk.call).json()["waiting_since"]


def test_the_assist_mode_is_told(server: ActionServer, reader: Reader) -> None:
    for mode in ("off", None):
        answer = server.put("/bridge/assist", json={"mode": mode})
        event = reader.until(lambda event: event.name == "assist")
        assert event.data == answer.json()


def test_a_suggestion_is_there_within_a_tenth_of_a_second(reader: Reader, talk: Talk) -> None:
    took = []
    for _ in range(5):
        (offered,) = talk.asks()
        answered = time.monotonic()  # stored before that
        event = reader.until(a("suggestion", talk, id=offered["id"]))
        took.append(event.at - answered)
    assert sorted(took)[2] < WITHIN, took


@pytest.mark.parametrize("query", [False, True])
def test_who_was_away_catches_up(server: ActionServer, talk: Talk, query: bool) -> None:  # noqa: FBT001
    with Reader(server) as first:
        began = first.last_id
        talk.asks()
        last = first.until(a("suggestion", talk))
    (offered,) = talk.asks()
    with Reader(server, last_id=last.id, query=query) as again:
        found = again.until(a("suggestion", talk, id=offered["id"]))
        assert found.id > last.id
    with Reader(server, last_id=began, query=query) as from_the_start:
        events = from_the_start.upto(found.id)
        assert [event.id for event in events] == sorted(event.id for event in events)
        states = {
            event.data["id"]: event.data["state"]
            for event in events
            if a("suggestion", talk)(event)
        }
        assert sorted(states.values()) == ["offered", "superseded"]


def test_a_position_that_the_log_does_not_have_is_reset(server: ActionServer, talk: Talk) -> None:
    last_id = 10**15  # of another database
    with Reader(server, last_id=last_id) as reader:
        event = reader.next()
        assert event.name == "reset"
        assert event.id < last_id
        talk.asks()
        assert reader.until(a("suggestion", talk)).id > event.id


@pytest.mark.parametrize("last_id", ["x", "-1", "1.5", "9" * 30, "\u0661"])
def test_what_is_no_position_is_refused(server: ActionServer, last_id: str) -> None:
    answer = server.get("/bridge/stream", params={"last_event_id": last_id})
    assert error(answer, 400) == "bad_request"


def test_an_agent_sees_its_own_calls_only(server: ActionServer, talk: Talk, make: Make) -> None:
    other = Talk.begin(server, talk.gateway, agent_id="297")
    boss, anna = make(supervisor="boss"), make(agent_id="291")
    with Reader(server, token=anna) as own, Reader(server, token=boss) as everything:
        other.asks()
        everything.until(a("suggestion", other))
        talk.asks()
        assert own.next().data["call_id"] == talk.call_id
        everything.until(a("suggestion", talk))


def test_the_former_agent_learns_that_the_call_is_gone_and_no_more(
    server: ActionServer, talk: Talk, make: Make
) -> None:
    with (
        Reader(server, token=make(agent_id="291")) as former,
        Reader(server, token=make(agent_id="297")) as new,
        Reader(server) as system,
    ):
        talk.asks()
        talk.assign(agent_id="297", agent_nickname="Carl")
        gone = former.until(a("call", talk, state="ended")).data
        assert (gone["agent_id"], gone["owner"], gone["moved_to"]) == ("291", "bot", "297")
        assert "ended_at" in gone
        assert "Carl" not in str(gone)
        assert former.until(a("suggestion", talk)).data["state"] == "expired"
        assert new.until(a("call", talk)).data["agent_id"] == "297"
        assert system.until(a("call", talk, agent_id="297")).data["state"] == "open"
        talk.asks()
        assert new.until(a("suggestion", talk)).data["agent_id"] == "297"
        assert former.nothing()


def test_a_transfer_to_another_call_names_the_agent_and_not_the_call(
    server: ActionServer, talk: Talk, make: Make
) -> None:
    new_call = f"{talk.call_id}-2"
    with Reader(server, token=make(agent_id="291")) as former:
        body = assignment(call_id=new_call, agent_id="297", owner="agent", agent_nickname="Carl")
        given = server.put(f"/bridge/assignments/{talk.sender_id}", json=body).json()
        assert "moved_to" not in given
        gone = former.until(a("call", talk, state="ended")).data
        assert (gone["agent_id"], gone["moved_to"]) == ("291", "297")
        assert new_call not in str(gone)
        assert "Carl" not in str(gone)
        assert former.nothing()
    shown = server.get(talk.call, token=make(agent_id="291")).json()
    assert (shown["state"], shown["moved_to"]) == ("ended", "297")
    assert error(server.get(f"/bridge/calls/{new_call}", token=make(agent_id="291")), 404)


def test_a_revoked_token_ends_it(server: ActionServer, make: Make) -> None:
    with Reader(server, token=make(agent_id="291")) as reader, Reader(server) as other:
        began = time.monotonic()
        assert server.delete("/bridge/tokens", params={"agent_id": "291"}).ok
        assert reader.ended.wait(SECONDS)
        assert time.monotonic() - began < REVOKED
        assert not other.ended.is_set()


def test_a_token_has_a_bounded_number_of_streams(server: ActionServer, make: Make) -> None:
    token = make(agent_id="291")
    with ExitStack() as opened:
        readers = [opened.enter_context(Reader(server, token=token)) for _ in range(11)]
        assert [reader.status for reader in readers] == [200] * 10 + [429]
        assert json.loads(readers[-1].answer.read())["error"]["code"] == "too_many_streams"
        opened.enter_context(Reader(server, token=make(agent_id="291")))  # another token's

    def free() -> bool:
        with Reader(server, token=token) as reader:
            return reader.status == 200

    server.until(free)  # once the server has noticed that they went


def test_many_readers_get_every_event_once(server: ActionServer, talk: Talk) -> None:
    with ExitStack() as opened, ThreadPoolExecutor(16) as pool:
        readers = list(pool.map(lambda _: Reader(server), range(100)))
        for reader in readers:
            opened.enter_context(reader)
        offered = [talk.asks()[0]["id"] for _ in range(5)]
        found = [
            [reader.until(a("suggestion", talk, id=name, state="offered")).id for name in offered]
            for reader in readers
        ]
        assert all(ids == found[0] for ids in found)
        assert found[0] == sorted(found[0])


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_it_is_only_read(server: ActionServer, method: str) -> None:
    assert error(server.ask(method, "/bridge/stream"), 405) == "method_not_allowed"
