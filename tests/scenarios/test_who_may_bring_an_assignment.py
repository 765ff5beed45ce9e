"""What came over HTTP counts, and what a message brings only with our signature."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from bridge.errors import RefusedError
from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import ASSIGNMENT, SECRET, Office, message
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.both_engines


def token(secret: str = SECRET, **changes: Any) -> str:
    now = int(time.time())
    claims = {"aud": "assignment", "sub": "sender", "iat": now, "exp": now + 3600, **ASSIGNMENT}
    claims.update(changes)
    return jwt.encode(
        {key: value for key, value in claims.items() if value is not None}, secret, "HS256"
    )


def brought(value: object, **more: Any) -> dict[str, Any]:
    return message(metadata={"assignment": value, **more})


def test_a_signed_one_is_believed(open_office: OpenOffice, gateway: Simulator) -> None:
    answered = open_office().call(brought(token(channel="WEB")))
    assert answered.slots["handoff_delivery"] == "delivered"
    assert gateway.messages()[0]["call"] == ASSIGNMENT["call_id"]


@pytest.mark.parametrize(
    ("forged", "word"),
    [
        (token("f" * 32), "untrusted"),
        (token(sub="somebody-else"), "untrusted"),
        (token(exp=int(time.time()) - 1), "untrusted"),
        (token(aud="agent"), "untrusted"),
        (token(exp=int(time.time()) + 7200), "untrusted"),
        (token(iat=int(time.time()) + 3000, exp=int(time.time()) + 3600), "untrusted"),
        (token(iat=None), "untrusted"),
        (token(exp=None), "untrusted"),
        (jwt.encode({"aud": "assignment", **ASSIGNMENT}, "", "none"), "untrusted"),
        ("not.a.token", "untrusted"),
        ("", "untrusted"),
        (token(agent_id="100"), "invalid_assignment"),
        (token(agent_id="60000"), "invalid_assignment"),
        (token(call_id=""), "invalid_assignment"),
        (token(call_id="a/../b"), "invalid_assignment"),
        (token(user_id=None), "invalid_assignment"),
        (token(take="yes"), "invalid_assignment"),
        (token(channel="WHATSAPP"), "invalid_assignment"),  # without a Configuration ID
    ],
)
def test_what_is_not_good_is_refused_and_logged_without_secrets(
    open_office: OpenOffice,
    gateway: Simulator,
    forged: str,
    word: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answered = open_office().call(brought(forged))
    assert answered.slots["handoff_error"] == word
    assert answered.slots["handoff_state"] == "bot"
    assert gateway.recorded() == []
    assert "refused" in caplog.text
    assert not forged or forged not in caplog.text
    assert SECRET not in caplog.text


def test_an_unknown_channel_is_put_right_with_one_warning(
    open_office: OpenOffice, gateway: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    office = open_office()
    office.call(brought(token(channel="PIGEON")))
    office.call(brought(token(channel="PIGEON")))
    assert [item["data"]["channel"] for item in gateway.messages()] == ["WEB"]
    assert caplog.text.count("WEB is used") == 1


def test_plain_metadata_is_not_believed_unless_the_operator_trusts_the_channel(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    plain = message(metadata={"agentid": "291", "callid": "call-7", "userid": "40001"})
    assert open_office().call(plain).slots["handoff_error"] == "untrusted"
    trusting = open_office(assignment={"metadata": "trusted"})
    plain["latest_message"]["message_id"] = plain["events"][-1]["message_id"] = "another"
    answered = trusting.call(plain)
    assert answered.slots["handoff_delivery"] == "delivered"
    assert gateway.messages()[0]["call"] == "call-7"


def test_with_trusted_slots_and_the_sessions_metadata_serve_too(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office(assignment={"metadata": "trusted"})
    by_slots = message(sender="one")
    by_slots["slots"] = {"agent_id": "291", "call_id": "call-1", "user_id": "1"}
    by_session = message(sender="two")
    by_session["slots"] = {
        "session_started_metadata": {"agent_id": 291, "call_id": "call-2", "user_id": 2}
    }
    assert office.call(by_slots).slots["handoff_call_id"] == "call-1"
    assert office.call(by_session).slots["handoff_call_id"] == "call-2"
    assert [item["userid"] for item in gateway.messages()] == ["1", "2"]


def test_off_believes_nothing_that_a_message_brings(open_office: OpenOffice) -> None:
    office = open_office(assignment={"metadata": "off"})
    assert office.call(brought(token())).slots["handoff_error"] == "no_assignment"


def test_a_customers_forgery_does_not_take_the_systems_assignment_away(
    office: Office, gateway: Simulator
) -> None:
    answered = office.call(brought(token("f" * 32, call_id="another-customers-call")))
    assert answered.slots["handoff_call_id"] == ASSIGNMENT["call_id"]
    assert [item["call"] for item in gateway.messages()] == [ASSIGNMENT["call_id"]]


def test_the_newest_wins(office: Office) -> None:
    later = int(time.time()) + 5
    answered = office.call(brought(token(call_id="newer", iat=later, exp=later + 60)))
    assert answered.slots["handoff_call_id"] == "newer"
    older = token(call_id="older", iat=later - 3000, exp=later + 600)
    again = message("again", number=2, metadata={"assignment": older})
    assert office.call(again).slots["handoff_call_id"] == "newer"


def test_what_was_ended_since_the_token_was_made_stays_so(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office()
    brings = brought(token())
    office.call(brings)
    assert office.end()
    later = message("again", number=2, metadata=brings["latest_message"]["metadata"])
    assert office.call(later).slots["handoff_error"] == "closed"
    assert len(gateway.messages()) == 1


def test_a_new_agent_for_the_same_call_is_a_reassignment(office: Office) -> None:
    office.call(message())
    office.assign(agent_id="292")
    record = office.assign(agent_id="292")
    assert record.owner.value == "agent"
    assert record.assignment.agent_id == "292"


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"agent_id": "100"}, "agent_id"),
        ({"agent_id": "abc"}, "agent_id"),
        ({"call_id": ""}, "call_id"),
        ({"call_id": "a b"}, "call_id"),
        ({"user_id": ""}, "user_id"),
        ({"owner": "me"}, "owner"),
        ({"agentId": "291"}, "agentId"),
    ],
)
def test_the_api_says_which_field_is_wrong(
    open_office: OpenOffice, fields: dict[str, str], names: str
) -> None:
    with pytest.raises(RefusedError, match=names) as raised:
        open_office().assign(**fields)
    assert raised.value.status == 422


# The channel and its Configuration ID


CONNECTORS = [
    ("rest", "WEB"),
    ("whatsapp_cloud", "WHATSAPP"),
    ("my_viber", "WECHAT"),
    ("a_connector_that_no_table_names", "WEB"),
    (None, "WEB"),
]
CONFIG_IDS = {"WEB": "1", "WHATSAPP": "2", "WECHAT": "3", "SMS": "4"}


@pytest.mark.parametrize(("connector", "channel"), CONNECTORS)
@pytest.mark.parametrize("by", ["token", "metadata", "slots"])
def test_an_assignment_that_names_no_channel_takes_that_of_the_connector(
    open_office: OpenOffice, gateway: Simulator, connector: str | None, channel: str, by: str
) -> None:
    mode = {} if by == "token" else {"metadata": "trusted"}
    office = open_office(
        assignment=mode,
        channel_config_ids=CONFIG_IDS,
        media={"rasa_channels": {"my_viber": "WECHAT"}},
    )
    metadata = {"token": {"assignment": token()}, "metadata": ASSIGNMENT, "slots": {}}[by]
    state = message(metadata=metadata)
    state["slots"] = dict(ASSIGNMENT) if by == "slots" else {}
    state["latest_input_channel"] = state["events"][-1]["input_channel"] = connector
    assert office.call(state).slots["handoff_delivery"] == "delivered"
    (sent,) = gateway.messages()
    assert (sent["data"]["channel"], sent["data"]["from"]) == (channel, CONFIG_IDS[channel])


def test_a_channel_that_is_named_goes_before_the_connector(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office(channel_config_ids=CONFIG_IDS)
    state = brought(token(channel="SMS"))
    state["latest_input_channel"] = "whatsapp"
    office.call(state)
    assert [item["data"]["channel"] for item in gateway.messages()] == ["SMS"]


@pytest.mark.parametrize(
    ("fields", "accepted"),
    [
        ({"channel": "WEB"}, True),
        ({"channel": "SMS"}, False),
        ({"channel": "SMS", "channel_config_id": "77"}, True),
        ({"channel": "pigeon"}, True),  # WEB, with a warning
    ],
)
@pytest.mark.parametrize("deployment", ["public_cloud", "private"])
def test_a_channel_without_a_configuration_id_is_refused_at_the_assignment(
    open_office: OpenOffice, fields: dict[str, str], *, accepted: bool, deployment: str
) -> None:
    office = open_office(gateway={"deployment": deployment})
    if accepted or deployment == "private":  # whose messages have no such field
        assert office.assign(**fields).open
        return
    with pytest.raises(RefusedError, match="SMS has no Configuration ID") as raised:
        office.assign(**fields)
    assert (raised.value.status, raised.value.code) == (422, "invalid_assignment")


def test_a_message_that_brings_no_configuration_id_leaves_the_stored_assignment(
    office: Office, gateway: Simulator
) -> None:
    later = int(time.time()) + 5
    answered = office.call(
        brought(token(channel="SMS", call_id="newer", iat=later, exp=later + 60))
    )
    assert answered.slots["handoff_call_id"] == ASSIGNMENT["call_id"]
    assert [item["data"]["channel"] for item in gateway.messages()] == ["WEB"]
