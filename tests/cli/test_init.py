"""``cc-bridge init`` on the sample bot, and on bots of other kinds."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge import config
from bridge.cli.init.content import ACTIONS, SLOTS
from bridge.cli.init.phrases import PHRASES, REPHRASE
from bridge.config import read_yaml
from bridge.replies.texts import BUILT_IN
from tests.cli.running import Ran, at_terminal, piped, within

EXAMPLE = Path(__file__).parents[2] / "examples" / "bot"
OF_THE_BOT = (
    "README.md",
    "config.yml",
    "domain/bot.yml",
    "data/nlu.yml",
    "data/rules.yml",
    "actions/__init__.py",
    "actions/rental.py",
)
WRITTEN = (
    "config/bridge.yml",
    "config/handoff.yml",
    "domain/cc_bridge.yml",
    "data/cc_bridge_rules.yml",
    "data/cc_bridge_nlu.yml",
    "cc_bridge_channel.py",
    "endpoints.yml",
    "credentials.yml",
    "actions/cc_bridge.py",
)
SECRETS = ("BRIDGE_API_TOKEN", "BRIDGE_INBOX_SECRET", "BRIDGE_ASSIGNMENT_SECRET")

# What `rasa init` makes, as far as it matters.
MOOD: dict[str, str] = {
    "config.yml": "recipe: default.v1\nassistant_id: mood\nlanguage: en\npipeline: null\n"
    "policies: null\n",
    "domain.yml": 'version: "3.1"\n\nintents:\n  - greet\n\nresponses:\n  utter_greet:\n'
    '    - text: "Hey!"\n\nsession_config:\n  session_expiration_time: 60\n',
    "data/nlu.yml": 'version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n    - hey\n',
    "data/rules.yml": 'version: "3.1"\nrules:\n- rule: Greet\n  steps:\n  - intent: greet\n'
    "  - action: utter_greet\n",
    "endpoints.yml": "# action_endpoint:\n#   url: x\n",
    "credentials.yml": "rest:\n#  # no credentials\n\nrasa:\n  url: http://localhost:5002/api\n",
    "actions/__init__.py": "",
    "actions/actions.py": "# none yet\n",
}
CALM: dict[str, str] = {
    **MOOD,
    "config.yml": "recipe: default.v1\nlanguage: en\npipeline:\n"
    "  - name: SearchReadyLLMCommandGenerator\npolicies:\n  - name: FlowPolicy\n",
    "data/flows.yml": "flows:\n  greet:\n    description: x\n    steps:\n"
    "      - action: utter_greet\n",
}


def made(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", errors="surrogatepass")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def said(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def run(folder: Path) -> dict[str, Any]:
    return said(within(folder, "init", "--json"))


def apply_patch(folder: Path) -> None:
    with (folder / "cc_bridge.patch").open() as patch:
        subprocess.run(["patch", "-p1"], stdin=patch, cwd=folder, check=True, capture_output=True)  # noqa: S607


def name_the_agents(folder: Path, edit: str) -> None:
    """Make the edit of config/bridge.yml that is printed for the simulator."""
    file = folder / "config" / "bridge.yml"
    (line,) = (each for each in edit.splitlines() if '"291": ' in each)
    text = file.read_text(encoding="utf-8").replace("agents:\n", f"agents:\n  {line.strip()}\n")
    file.write_text(text, encoding="utf-8")
    assert list(read_yaml(file)["agents"]) == ["291", "*"]


# -- the sample bot --------------------------------------------------------------------------------


def bare(folder: Path) -> Path:
    """The sample bot as it was before init."""
    for name in OF_THE_BOT:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXAMPLE / name, folder / name)
    return folder


def test_the_sample_bot_is_what_init_makes_of_it(tmp_path: Path) -> None:
    found = run(bare(tmp_path))
    assert found["written"] == list(WRITTEN)
    (agents,) = found["edits"]
    assert agents.startswith("In config/bridge.yml, add the agents ")
    assert found["kept"] == []
    assert contents(tmp_path) == contents(EXAMPLE)
    again = run(tmp_path)  # everything is there
    assert (again["written"], again["edits"]) == ([], [agents])
    assert contents(tmp_path) == contents(EXAMPLE)


def test_the_sample_bots_configuration_is_clean(tmp_path: Path) -> None:
    bot = tmp_path / "bot"
    shutil.copytree(EXAMPLE, bot)
    settings = bot / "config" / "bridge.yml"
    text = settings.read_text(encoding="utf-8")
    for name in (*SECRETS, "BRIDGE_WEBHOOK_TOKEN", "RASA_TOKEN"):
        assert name in text
        text = text.replace(f"${{{name}:-}}", "x" * 32)
    settings.write_text(text, encoding="utf-8")
    ran = piped(bot, "validate", "--domain", "domain", "--rules", "data")
    assert (ran.code, ran.out, ran.err) == (0, "The configuration is good.\n", "")


# -- a bot with files of its own -------------------------------------------------------------------


def test_files_of_the_bot_are_never_changed_and_one_patch_does_the_rest(tmp_path: Path) -> None:
    before = contents(made(tmp_path, MOOD))
    found = run(tmp_path)
    assert {name: contents(tmp_path)[name] for name in before} == before
    edit, agents = found["edits"]
    assert edit == (
        "Apply the changes of domain.yml, endpoints.yml and credentials.yml:\n"
        "  patch -p1 < cc_bridge.patch"
    )
    apply_patch(tmp_path)
    name_the_agents(tmp_path, agents)
    domain = config.load_domain(tmp_path / "domain.yml")
    assert domain["intents"] == ["greet", "human_handoff"]
    assert domain["actions"] == [{name: {"send_domain": True}} for name in ACTIONS]
    assert set(domain["slots"]) == set(SLOTS)
    assert {"utter_greet", "utter_handoff_started"} <= set(domain["responses"])
    assert read_yaml(tmp_path / "endpoints.yml")["action_endpoint"] == {
        "url": "http://localhost:5055/webhook",
        "token": "${BRIDGE_WEBHOOK_TOKEN}",
    }
    credentials = read_yaml(tmp_path / "credentials.yml")
    assert credentials["cc_bridge_channel.CCBridgeInput"] == {"token": "${RASA_TOKEN}"}
    assert "rest" in credentials
    (tmp_path / "cc_bridge.patch").unlink()
    after = contents(tmp_path)
    again = run(tmp_path)
    assert (again["written"], again["edits"]) == ([], [])
    assert contents(tmp_path) == after


def test_lines_that_end_with_carriage_returns_are_patched(tmp_path: Path) -> None:
    made(tmp_path, MOOD)
    path = tmp_path / "domain.yml"
    path.write_bytes(MOOD["domain.yml"].replace("\n", "\r\n").encode())
    run(tmp_path)
    apply_patch(tmp_path)
    content = path.read_bytes()
    assert b"human_handoff\r\n" in content
    assert content.count(b"\r\n") == content.count(b"\n")


def test_git_can_apply_the_patch_too(tmp_path: Path) -> None:
    files = {**MOOD, "domain.yml": MOOD["domain.yml"].rstrip("\n")}  # without a last line end
    run(made(tmp_path, files))
    subprocess.run(["git", "apply", "cc_bridge.patch"], cwd=tmp_path, check=True)  # noqa: S607
    assert "human_handoff" in (tmp_path / "domain.yml").read_text(encoding="utf-8")


def test_a_file_that_exists_is_kept(tmp_path: Path) -> None:
    made(tmp_path, {**MOOD, "config/handoff.yml": "# mine\n", "cc_bridge_channel.py": "# mine\n"})
    found = run(tmp_path)
    assert found["kept"] == ["config/handoff.yml", "cc_bridge_channel.py"]
    assert (tmp_path / "config" / "handoff.yml").read_text(encoding="utf-8") == "# mine\n"


def test_an_old_patch_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    made(tmp_path, {**MOOD, "cc_bridge.patch": "old"})
    ran = within(tmp_path, "init")
    assert ran.code == 2
    assert "cc_bridge.patch is from an earlier run: delete it" in ran.err


def test_two_edits_remain_at_most(tmp_path: Path) -> None:
    """Even if no file can be patched."""
    odd = {
        **RULES_OF_ITS_OWN,
        "domain.yml": "{intents: [greet]}\n",
        "endpoints.yml": "{nlg: {url: x}}\n",
        "credentials.yml": "{rest: {}}\n",
    }
    made(tmp_path, {**MOOD, **odd, "actions.py": "# mine"})
    shutil.rmtree(tmp_path / "actions")
    found = run(tmp_path)
    assert len(found["edits"]) == 2
    of_the_bot, agents = found["edits"]
    assert of_the_bot.startswith(
        "Apply the changes of actions.py:\n  patch -p1 < cc_bridge.patch\nAdd to domain.yml:\n"
    )
    assert "\n    - human_handoff\n" in of_the_bot
    assert "\nAdd to endpoints.yml:\n  action_endpoint:\n    url: http" in of_the_bot
    assert of_the_bot.endswith("  - action: action_human_handoff")
    assert agents.startswith("In config/bridge.yml, add the agents ")
    apply_patch(tmp_path)
    assert "from bridge.actions import *" in (tmp_path / "actions.py").read_text(encoding="utf-8")


RULES_OF_ITS_OWN = {
    "data/rules.yml": """\
version: "3.1"
rules:
- rule: A person
  steps:
  - intent: human_handoff
  - action: utter_greet
""",
}


@pytest.mark.parametrize(
    ("steps", "place"),
    [
        (
            "  - intent: human_handoff\n  - action: utter_greet\n",
            "line 6, add before the step utter_greet:\n  - action: action_human_handoff",
        ),
        (
            (
                "  - or:\n    - intent: human_handoff\n    - intent: help\n  - slot_was_set:\n"
                "    - a: 1\n  - action: utter_greet\n"
            ),
            "line 10, add before the step utter_greet:\n  - action: action_human_handoff",
        ),
        (
            "  - intent: nlu_fallback\n  - action: utter_greet\n",
            "line 6, add before the step utter_greet:\n  - action: action_bridge",
        ),
        ("  - intent: nlu_fallback\n  - action: action_human_handoff\n", ""),
        ("  - intent: human_handoff\n  - action: action_bridge\n  - action: utter_greet\n", ""),
    ],
)
@pytest.mark.parametrize("kind", ["rule", "story"])
def test_a_rule_that_calls_no_action_of_the_bridge_is_an_edit(
    tmp_path: Path, kind: str, steps: str, place: str
) -> None:
    section = "rules" if kind == "rule" else "stories"
    text = f'version: "3.1"\n{section}:\n- {kind}: x\n  steps:\n{steps}'
    found = run(made(tmp_path, {**MOOD, "data/own.yml": text}))
    of_the_bot = found["edits"][0]
    assert ("In data/own.yml, " in of_the_bot) == bool(place)
    assert of_the_bot.endswith(place)
    # Another rule for the same intent would contradict the bot's own.
    intent = "nlu_fallback" if "nlu_fallback" in steps else "human_handoff"
    ours = (tmp_path / "data" / "cc_bridge_rules.yml").read_text(encoding="utf-8")
    assert f"intent: {intent}\n" not in ours
    if place:
        *before, action = place.splitlines()
        lines = text.splitlines(keepends=True)
        number = int(before[0].split()[1].rstrip(","))
        lines.insert(number - 1, f"{action}\n")
        (tmp_path / "data" / "own.yml").write_text("".join(lines), encoding="utf-8")
        apply_patch(tmp_path)
        (tmp_path / "cc_bridge.patch").unlink()
        (only,) = run(tmp_path)["edits"]
        assert "config/bridge.yml" in only


DEFAULT_PIPELINE = "# - name: WhitespaceTokenizer\n"


@pytest.mark.parametrize(
    ("settings", "counted"),
    [
        (f"language: en\npipeline:\n{DEFAULT_PIPELINE}policies:\n", True),  # as rasa init has it
        ("language: en\n", True),
        ("pipeline:\n  - name: FallbackClassifier\n", True),
        ("pipeline:\n  - name: KeywordIntentClassifier\n", False),
        ("pipeline: []\n", False),
        ("recipe: graph.v1\n", False),
    ],
)
def test_fallbacks_are_counted_where_rasa_predicts_them(
    tmp_path: Path, settings: str, *, counted: bool
) -> None:
    found = run(made(tmp_path, {**MOOD, "config.yml": settings}))
    handoff = read_yaml(tmp_path / "config" / "handoff.yml")["handoff"]
    assert ({"fallbacks": 3} in handoff["when"]) == counted
    rules = (tmp_path / "data" / "cc_bridge_rules.yml").read_text(encoding="utf-8")
    assert ("intent: nlu_fallback" in rules) == counted
    assert any("has a FallbackClassifier" in note for note in found["notes"]) != counted
    apply_patch(tmp_path)
    name_the_agents(tmp_path, found["edits"][1])
    checked = within(tmp_path, "validate", "--rules", "data")
    assert (checked.code, "no rule, story or flow reaches" in checked.out) == (0, False)


FORM = """\
version: "3.1"
intents: [greet, human_handoff]
slots:
  name: {type: text, mappings: [MAPPING]}
forms:
  order_form: {required_slots: [name]IGNORED}
"""


@pytest.mark.parametrize(
    ("mapping", "ignored", "noted"),
    [
        ("{type: from_text}", "", True),
        ("{type: from_text}", ", ignored_intents: [greet]", True),
        ("{type: from_text, conditions: [{active_loop: order_form}]}", "", True),
        ("{type: from_text}", ", ignored_intents: [human_handoff]", False),
        ("{type: from_text}", ", ignored_intents: human_handoff", False),
        ("{type: from_text, not_intent: human_handoff}", "", False),
        ("{type: from_text, intent: greet}", "", False),
        ("{type: from_text, conditions: [{active_loop: other_form}]}", "", False),
        ("{type: from_entity, entity: name}", "", False),
    ],
)
def test_a_form_that_takes_any_text_is_noted(
    tmp_path: Path, mapping: str, ignored: str, *, noted: bool
) -> None:
    domain = FORM.replace("MAPPING", mapping).replace("IGNORED", ignored)
    found = run(made(tmp_path, {**MOOD, "domain.yml": domain}))
    said = "add human_handoff to its ignored_intents in domain.yml"
    assert any(said in note and "order_form" in note for note in found["notes"]) == noted


def test_what_the_bot_has_already_is_left_out(tmp_path: Path) -> None:
    made(
        tmp_path,
        {
            **MOOD,
            "config.yml": "language: de\npipeline:\n  - name: FallbackClassifier\n"
            "policies:\n  - name: RulePolicy\n",
            "domain.yml": "intents: [greet, human_handoff]\nresponses:\n"
            "  utter_handoff_started:\n    - text: mine\n",
            "data/more.yml": "nlu:\n- intent: human_handoff\n  examples: |\n    - help\nrules:\n"
            "- rule: x\n  steps:\n  - intent: human_handoff\n  - action: action_human_handoff\n"
            "- rule: y\n  steps:\n  - intent: nlu_fallback\n  - action: action_bridge\n",
            "endpoints.yml": "action_endpoint:\n  url: http://bot:5055/webhook\n",
        },
    )
    found = run(tmp_path)
    assert not any("data/" in name for name in found["written"])
    assert "line" not in found["edits"][0]
    apply_patch(tmp_path)
    domain = config.load_domain(tmp_path / "domain.yml")
    assert domain["intents"] == ["greet", "human_handoff"]
    assert domain["responses"]["utter_handoff_started"] == [{"text": "mine"}]
    assert "Leider" in domain["responses"]["utter_handoff_unavailable"][0]["text"]
    endpoint = read_yaml(tmp_path / "endpoints.yml")["action_endpoint"]
    assert endpoint == {"url": "http://bot:5055/webhook", "token": "${BRIDGE_WEBHOOK_TOKEN}"}


@pytest.mark.parametrize(
    ("files", "package", "written"),
    [
        ({"actions/a.py": "", "actions/__init__.py": ""}, "actions", {"actions/cc_bridge.py"}),
        ({"actions/a.py": ""}, "actions", {"actions/cc_bridge.py", "actions/__init__.py"}),
        ({"actions.py": "x = 1"}, "actions", set()),
        ({"actions.py": "from bridge.actions import *\n"}, "actions", set()),
        ({}, "bridge.actions", set()),
    ],
)
def test_the_bots_own_actions_are_loaded_with_ours(
    tmp_path: Path, files: dict[str, str], package: str, written: set[str]
) -> None:
    bot = {name: text for name, text in MOOD.items() if not name.startswith("actions")}
    ran = within(made(tmp_path, {**bot, **files}), "init")
    assert ran.code == 0
    assert f"\n  {sys.executable} -m rasa_sdk --actions {package}\n" in ran.out
    assert "\n  rasa train\n" in ran.out
    new = {name for name in contents(tmp_path) if name.startswith("actions/")} - set(files)
    assert new == written
    patch = (tmp_path / "cc_bridge.patch").read_text(encoding="utf-8")
    assert ("+from bridge.actions import *" in patch) == ("x = 1" in files.get("actions.py", ""))


# -- other kinds of bots ---------------------------------------------------------------------------


def test_a_bot_of_flows_gets_flows(tmp_path: Path) -> None:
    found = run(made(tmp_path, CALM))
    assert "data/cc_bridge_flows.yml" in found["written"]
    assert not {"data/cc_bridge_rules.yml", "data/cc_bridge_nlu.yml"} & set(found["written"])
    flows = read_yaml(tmp_path / "data" / "cc_bridge_flows.yml")["flows"]
    handoff = [{"action": "action_human_handoff"}]
    assert flows["human_handoff"]["steps"] == flows["pattern_human_handoff"]["steps"] == handoff
    (guarded,) = flows["pattern_completed"]["steps"]
    stays_silent, speaks = guarded["next"]
    assert stays_silent == {
        "if": 'slots.handoff_state is "handoff" or slots.handoff_state is "assist"',
        "then": "END",
    }
    assert speaks["else"] == [{"action": "utter_can_do_something_else", "next": "END"}]
    apply_patch(tmp_path)
    assert config.load_domain(tmp_path / "domain.yml")["intents"] == ["greet"]


def test_flows_of_the_bot_are_kept(tmp_path: Path) -> None:
    own = "".join(
        f"  {name}:\n    description: x\n    steps:\n      - action: utter_greet\n"
        for name in ("human_handoff", "pattern_completed")
    )
    found = run(made(tmp_path, {**CALM, "data/own.yml": f"flows:\n{own}"}))
    flows = read_yaml(tmp_path / "data" / "cc_bridge_flows.yml")["flows"]
    assert list(flows) == ["pattern_human_handoff"]
    notes = "\n".join(found["notes"])
    assert "Your flow human_handoff is kept: let it call action_human_handoff." in notes
    assert "Your flow pattern_completed is kept" in notes


MODULES = {
    "as rasa init writes it": "# server\n\naction_endpoint:\n"
    '  actions_module: "actions"\n\n# nlg\n',
    "first of several": "action_endpoint:\n  actions_module: actions  # ours\n  params: {a: b}\n"
    "tracker_store: {type: SQL}\n",
    "last of several": "action_endpoint:\n  # where\n  url: http://localhost:5055/webhook\n"
    "  token: ${BRIDGE_WEBHOOK_TOKEN}\n  actions_module: actions",
    "in braces": "action_endpoint: {actions_module: actions}\n",
    "in braces, last": "action_endpoint: {params: {a: b}, actions_module: actions}\n",
    "in braces, first": "action_endpoint: {actions_module: actions, params: {a: b}}\n",
}


@pytest.mark.parametrize("name", MODULES)
def test_actions_that_rasa_runs_itself_are_moved_to_the_action_server(
    tmp_path: Path, name: str
) -> None:
    found = run(made(tmp_path, {**CALM, "endpoints.yml": MODULES[name]}))
    assert any("sets actions_module" in note for note in found["notes"])
    apply_patch(tmp_path)
    text = (tmp_path / "endpoints.yml").read_text(encoding="utf-8")
    endpoints = read_yaml(tmp_path / "endpoints.yml")
    assert endpoints["action_endpoint"].pop("url") == "http://localhost:5055/webhook"
    assert endpoints["action_endpoint"].pop("token") == "${BRIDGE_WEBHOOK_TOKEN}"
    assert endpoints["action_endpoint"] in ({}, {"params": {"a": "b"}})
    for comment in re.findall("# [snw].*", MODULES[name]):
        assert comment in text
    assert ("tracker_store" in endpoints) == ("tracker_store" in MODULES[name])


def test_a_module_of_actions_that_cannot_be_patched_out_is_removed_by_hand(tmp_path: Path) -> None:
    odd = {"endpoints.yml": "{action_endpoint: {actions_module: actions}}\n"}
    found = run(made(tmp_path, {**CALM, **odd}))
    assert "  # remove the key actions_module here" in "\n".join(found["edits"])


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"endpoints.yml": "nlg:\n  type: rephrase\n"}, "rephrases responses (nlg)"),
        ({"endpoints.yml": "nlg:\n  url: http://x\n"}, "has an NLG server (nlg)"),
        (
            {"endpoints.yml": "action_endpoint:\n  url: x\n  enable_selective_domain: true\n"},
            "keep `send_domain: true`",
        ),
        ({}, "opens the channel rest, which asks for no token"),
        (
            {"config.yml": "pipeline: []\npolicies:\n  - name: TEDPolicy\n"},
            "config.yml has no RulePolicy",
        ),
    ],
)
def test_it_says_what_has_to_be_known(tmp_path: Path, changed: dict[str, str], note: str) -> None:
    assert any(note in each for each in run(made(tmp_path, {**MOOD, **changed}))["notes"])


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({}, "is no Rasa project: it has no config.yml"),
        ({"config.yml": "a: 'b\n"}, "config.yml:"),
        ({"config.yml": "- a\n"}, "config.yml: the file is not a mapping"),
        ({"config.yml": "", "domain.yml": "- a\n"}, "domain.yml"),
        ({"config.yml": "", "endpoints.yml": ": :\n- x"}, "endpoints.yml"),
        ({"config.yml": "", "domain.yml": "", "actions.py": "# \ud800"}, "actions.py"),
    ],
)
def test_what_is_no_rasa_project_is_refused(
    tmp_path: Path, files: dict[str, str], what: str
) -> None:
    before = contents(made(tmp_path, files))
    ran = within(tmp_path, "init", ".")
    assert (ran.code, ran.out) == (2, "")
    assert what in ran.err
    assert contents(tmp_path) == before


def test_a_domain_in_a_folder_is_named_to_rasa(tmp_path: Path) -> None:
    assert "\n  rasa train --domain domain\n" in within(bare(tmp_path), "init").out


@pytest.mark.parametrize("columns", [60, 80])
def test_prose_is_wrapped_and_code_stays_whole(tmp_path: Path, columns: int) -> None:
    ran = at_terminal(made(tmp_path, {**MOOD, **RULES_OF_ITS_OWN}), "init", columns=columns)
    long = [line for line in ran.out.splitlines() if len(line) > columns]
    assert all('"291": {' in line or "-m rasa_sdk" in line for line in long)
    assert "\n     patch -p1 < cc_bridge.patch\n" in ran.out
    assert "\n     - action: action_human_handoff\n" in ran.out


def test_a_person_is_told_what_was_written_and_what_remains(tmp_path: Path) -> None:
    ran = at_terminal(made(tmp_path, MOOD), "init")
    assert ran.code == 0
    assert "written  config/bridge.yml" in ran.out
    assert "What remains to edit:\n1. Apply the changes" in ran.out.replace("\r", "")


def test_phrases_are_there_in_every_language_of_the_bridges_texts() -> None:
    for texts in BUILT_IN.values():
        assert set(PHRASES) == set(REPHRASE) == set(texts)
    every = [phrase for phrases in PHRASES.values() for phrase in phrases]
    assert len(every) == len(set(every))


def test_the_commands_of_the_deployers_page(tmp_path: Path) -> None:
    page = (EXAMPLE.parents[1] / "docs" / "deployer.md").read_text(encoding="utf-8")
    blocks = page.split("## Connect Rasa")[1].split("## Try it")[0].split("```sh\n")[1:]
    first, second = (block.partition("```")[0].strip() for block in blocks[:2])
    made(tmp_path / "my-bot", MOOD)
    assert first.startswith("/opt/cc-bridge/bin/cc-bridge ")
    assert within(tmp_path, *first.split()[1:]).code == 0
    subprocess.run(["sh", "-c", second], cwd=tmp_path, check=True, capture_output=True)  # noqa: S607
    written = "\n".join((*WRITTEN, "data/cc_bridge_flows.yml", "actions.py", "cc_bridge.patch"))
    table = page.split("It writes only new files")[1].split("Names that the bot")[0]
    for name in re.findall(r"`([\w/]+\.(?:yml|py))`", table):
        assert name in written, name


def test_the_commands_and_edits_of_the_readme(tmp_path: Path) -> None:
    page = (EXAMPLE.parents[1] / "README.md").read_text(encoding="utf-8")
    section = page.split("## Into your bot")[1].split("\n## ")[0]
    blocks = [each.partition("```")[0] for each in section.split("```sh\n")[1:3]]
    commands = [line for block in blocks for line in block.splitlines()]
    assert "#" not in "".join(commands)  # zsh takes no comments at a prompt
    assert section.index("   agents:") < section.index(commands[2])
    edits = re.findall(r"^\d\. In `([\w/.]+)`", section, re.MULTILINE)
    assert len(commands) <= 6
    assert len(edits) <= 4
    bot = made(tmp_path / "my-bot", MOOD)
    first, second = commands[1].removeprefix("/opt/cc-bridge/bin/cc-bridge ").split(" && ")
    ran = within(bot, *first.split())
    assert ran.code == 0
    subprocess.run(["sh", "-c", second], cwd=bot, check=True, capture_output=True)  # noqa: S607
    (start,) = (line for line in commands if "rasa_sdk" in line)
    assert start.partition(" -m ")[2].removesuffix(" &") in ran.out
    assert f"\n  {commands[2]}\n" in ran.out
    assert {bot / edit for edit in edits} <= {path for path in bot.rglob("*") if path.is_file()}
    file = bot / "config" / "bridge.yml"
    agent = re.findall(r"^ +(\"291\": .*)$", section, re.MULTILINE)[0]
    assert agent in ran.out
    for edit in re.findall(r"`([\w.]+)`", section.split("\n2. ")[1].split("\n4. ")[0]):
        assert edit in ran.out
    text = file.read_text(encoding="utf-8").replace("agents:\n", f"agents:\n  {agent}\n")
    file.write_text(text, encoding="utf-8")
    assert read_yaml(file)["agents"]["291"]["nickname"] == "Anna"
    checked = within(bot, "validate")
    assert checked.code == 0, checked.err


def test_the_notes_of_the_sample_bot_name_what_is_there() -> None:
    page = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"`([\w/*]+(?:\.yml|\.py|/))`", page):
        assert list(EXAMPLE.glob(name)), name


# -- what validate says of it ----------------------------------------------------------------------

FULL = dict.fromkeys((*SECRETS, "BRIDGE_WEBHOOK_TOKEN", "RASA_TOKEN"), "x" * 32)
SPLIT: dict[str, str] = {
    **{name: text for name, text in MOOD.items() if name != "domain.yml"},
    "domain/bot.yml": 'version: "3.1"\nintents:\n  - greet\n  - faq\n',
    "domain/responses.yml": 'responses:\n  utter_greet:\n    - text: "Hey!"\n'
    '  utter_bye:\n    - text: "Bye!"\n',
    "data/nlu.yml": 'version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n    - hey\n'
    "- intent: faq/hours\n  examples: |\n    - when do you open\n",
    "data/responses.yml": "responses:\n  utter_faq/hours:\n    - text: From nine to five.\n",
}
NO_FALLBACK = "language: en\npipeline:\n  - name: DIETClassifier\npolicies:\n  - name: RulePolicy\n"
CALLS = (
    "flows:\n  pattern_cannot_handle:\n    description: x\n    steps:\n"
    "      - action: action_bridge\n      - action: utter_ask_rephrase\n"
)
FLOWS = "\n".join(CALM["data/flows.yml"].splitlines()[1:])
BOTS: dict[str, dict[str, str]] = {
    "of rasa init": MOOD,
    "of rasa init, with flows": {
        **CALM,
        "domain.yml": MOOD["domain.yml"].replace("intents:\n  - greet\n", "")
        + "slots:\n  amount:\n    type: float\n",
        "endpoints.yml": 'action_endpoint:\n  actions_module: "actions"\n',
    },
    "with a domain in parts": SPLIT,
    "without a classifier of fallbacks": {**MOOD, "config.yml": NO_FALLBACK},
    "with a rule of its own for fallbacks": {
        **MOOD,
        "data/more.yml": "rules:\n- rule: x\n  steps:\n  - intent: nlu_fallback\n"
        "  - action: action_two_stage_fallback\n  - active_loop: action_two_stage_fallback\n",
    },
    "that calls the bridge for fallbacks": {
        **MOOD,
        "data/more.yml": "rules:\n- rule: x\n  steps:\n  - intent: nlu_fallback\n"
        "  - action: action_bridge\n  - action: utter_greet\n",
    },
    "with flows that call the bridge for fallbacks": {**CALM, "data/flows.yml": CALLS + FLOWS},
}
WITH_FALLBACKS = {
    "of rasa init",
    "with a domain in parts",
    "that calls the bridge for fallbacks",
    "with flows that call the bridge for fallbacks",
}


@pytest.mark.parametrize("bot", BOTS)
def test_what_init_makes_is_clean(tmp_path: Path, bot: str) -> None:
    run(made(tmp_path, BOTS[bot]))
    apply_patch(tmp_path)
    domain = "domain" if (tmp_path / "domain").is_dir() else "domain.yml"
    for named in ((), ("--domain", domain), ("--domain", domain, "--rules", "data")):
        ran = within(tmp_path, "validate", "--strict", *named, **FULL)
        assert (ran.code, ran.out, ran.err) == (0, "The configuration is good.\n", ""), named
    when = read_yaml(tmp_path / "config" / "handoff.yml")["handoff"]["when"]
    assert ({"fallbacks": 3} in when) == (bot in WITH_FALLBACKS)
