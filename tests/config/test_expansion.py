"""${NAME} in bridge.yml, and nowhere else."""

from __future__ import annotations

import pytest

from tests.config.conftest import GATEWAY, Folder

ENVIRON = {"HOST": "gw.example", "EMPTY": "", "NUMBER": "7", "TRUE": "true"}


@pytest.mark.parametrize(
    ("written", "came_to"),
    [
        ("${HOST}", "gw.example"),
        ('"a ${HOST} ${NUMBER}b"', "a gw.example 7b"),
        ("${NUMBER}", "7"),  # text stays text
        ("${TRUE}", "true"),
        ("${HOST:-other}", "gw.example"),
        ("${NONE:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("'${NONE:-a:-b $c}'", "a:-b $c"),
        ("$${HOST}", "${HOST}"),
        ("'$HOST $$ {x} $'", "$HOST $$ {x} $"),
        ("$${HOST}${HOST}", "${HOST}gw.example"),
    ],
)
def test_what_a_value_comes_to(folder: Folder, written: str, came_to: str) -> None:
    agents = f"agents:\n  291:\n    nickname: {written}\n"
    settings = folder.write(bridge=GATEWAY + agents).load(ENVIRON)
    assert settings.bridge.agents["291"].nickname == came_to


def test_numbers_and_yes_or_no_are_read_from_text(folder: Folder) -> None:
    bridge = """
gateway: {url: "https://${HOST}:8043", use_environment: "${TRUE}", ca_file: "${EMPTY}"}
delivery:
  wait: ${NUMBER}
  workers: ${WORKERS:-3}
"""
    settings = folder.write(bridge=bridge).load(ENVIRON).bridge
    assert settings.gateway.url == "https://gw.example:8043"
    assert settings.gateway.use_environment is True
    assert settings.gateway.ca_file is None
    assert (settings.delivery.wait, settings.delivery.workers) == (7, 3)


def test_a_variable_that_is_not_set_is_named(folder: Folder) -> None:
    folder.write(bridge='gateway:\n  url: "https://${HOTS}"\n')
    assert folder.fault(ENVIRON) == (
        "bridge.yml, line 2, column 8: gateway.url\n"
        "    found         ${HOTS}, and no variable HOTS is set\n"
        "    allowed       a variable that is set, or ${HOTS:-default}, or ${HOTS:-} for nothing\n"
        "    did you mean  HOST?"
    )


@pytest.mark.parametrize("written", ["${}", "${1A}", "${A-b}", "${A:b}", "${A", "a${ B }"])
def test_what_is_no_expansion_is_told(folder: Folder, written: str) -> None:
    fault = folder.write(bridge=GATEWAY + f"storage: {{url: '{written}'}}").fault({"A": "x"})
    assert "${NAME}, ${NAME:-default}, or $${ for a plain ${" in fault


def test_a_wrong_value_shows_the_text_of_the_file_only(folder: Folder) -> None:
    bridge = 'gateway: {url: "ftp://${HOST}/${NUMBER:-8}"}'
    fault = folder.write(bridge=bridge).fault(ENVIRON)
    assert "what ${HOST} and ${NUMBER} came to, which is not shown here" in fault
    assert "gw.example" not in fault.replace("cc-gateway.example", "")


@pytest.mark.parametrize("written", ["${BRIDGE_API_TOKEN}", "x ${A_1:-b} y"])
@pytest.mark.parametrize("name", ["handoff", "media"])
def test_designers_cannot_print_a_variable(folder: Folder, name: str, written: str) -> None:
    content = {
        "handoff": f'handoff: {{say: "{written}"}}',
        "media": f'email_subject: "{written}"',
    }[name]
    folder.write(bridge=GATEWAY, **{name: content})
    fault = folder.fault({"BRIDGE_API_TOKEN": "hunter2-hunter2", "A_1": "hunter2-hunter2"})
    assert fault.startswith(f"{name}.yml, line 1")
    assert "variables are expanded only in bridge.yml" in fault
    assert "hunter2" not in fault


@pytest.mark.parametrize(
    ("written", "kept"),
    [("a ${ b", "a ${ b"), ("${price}", "${price}"), ("$${NAME}", "${NAME}"), ("$NAME", "$NAME")],
)
def test_other_text_of_designers_stays_as_it_is(folder: Folder, written: str, kept: str) -> None:
    handoff = f"handoff: {{when: [{{keyword: {{en: ['{written}']}}}}]}}"
    condition = folder.write(bridge=GATEWAY, handoff=handoff).load({"price": "1"})
    assert condition.designer.handoff.when[0].keyword == {"en": (kept,)}
