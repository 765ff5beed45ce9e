"""Decides what to write into a Rasa project, and which edits of its own files remain.

Files of the bot are never changed: their edits become one patch.
"""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bridge.cli.init import content
from bridge.cli.init.project import OwnActions, RasaProject
from bridge.config.project_files import insert, read_mapping, remove, section_lines
from bridge.errors import BridgeError
from bridge.validation.training import Step

BRIDGE = "config/bridge.yml"
PATCH = "cc_bridge.patch"
_MODULE = "actions_module"  # by which Rasa Pro runs actions itself; the key `url` is then ignored
_AGENT = (
    '"291": {session: sign_in, password: "${AGENT_291_PASSWORD:-any}", phone: "40038",'
    " nickname: Anna}"
)
_AGENTS = (
    f"In {BRIDGE}, add the agents whom the bridge signs in, before you start the action server."
    " For the simulator:\n"
    f'  agents:                       # keep the entry "*"\n    {_AGENT}\n'
    "For your own gateway, change gateway.url and channel_config_ids in the same file."
)
_IMPORT = "from bridge.actions import *  # noqa: F403 - the actions of rasa-cc-bridge\n"


@dataclass
class Wiring:
    """What is to be done.

    Attributes:
        files: new files with their text, by their path in the project.
        changes: old and new text of the bot's own files, for the patch.
        manual: lines to add by hand to files that cannot be patched, by the file.
        steps: where rules of the bot's own lack an action of the bridge, in words.
        agents: whether the bridge's configuration names no agent yet.
        notes: what the developer should know.
        actions: the package that the action server loads.
        domain: file or folder of the domain.
    """

    files: dict[str, str] = field(default_factory=dict)
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)
    manual: dict[str, str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    agents: bool = True
    notes: list[str] = field(default_factory=list)
    actions: str = "bridge.actions"
    domain: str = "domain.yml"

    @property
    def patch(self) -> str:
        """The changes in unified format, for ``patch -p1``."""
        return "".join(_diff(path, *texts) for path, texts in self.changes.items())

    @property
    def edits(self) -> list[str]:
        """What remains to edit: in the bot's files, and in the bridge's configuration."""
        of_the_bot = [*self._added(), *self.steps]
        of_the_bridge = [_AGENTS] if self.agents else []
        return ["\n".join(each) for each in (of_the_bot, of_the_bridge) if each]

    def _added(self) -> Iterator[str]:
        if self.changes:
            yield f"Apply the changes of {_listed(self.changes)}:\n  patch -p1 < {PATCH}"
        for path, lines in self.manual.items():
            yield f"Add to {path}:\n{textwrap.indent(lines, '  ')}"


def wire(project: RasaProject) -> Wiring:
    """Return what connects a bot to the bridge."""
    wiring = Wiring(domain=project.domain_path)
    wiring.files[BRIDGE] = content.bridge_yml(project.domain_path)
    wiring.files["config/handoff.yml"] = content.handoff_yml(project)
    _wire_domain(project, wiring)
    _wire_data(project, wiring)
    _wire_endpoints(project, wiring)
    _wire_actions(project, wiring)
    wiring.steps += (_step(step, action) for step, action in content.steps_to_add(project))
    wiring.agents = not _names_agents(project)
    wiring.notes += _notes(project)
    return wiring


def _wire_domain(project: RasaProject, wiring: Wiring) -> None:
    entries = content.domain_entries(project)
    path = Path(project.domain_path)
    if not entries:
        return
    if (project.folder / path).is_file():
        _edit(project, wiring, str(path), entries)
    else:
        new = path if path.suffix else path / "cc_bridge.yml"
        wiring.files[new.as_posix()] = content.domain_file(entries)


def _wire_data(project: RasaProject, wiring: Wiring) -> None:
    found = (
        {"flows": content.flows(project)}
        if project.calm
        else {"rules": content.rules(project), "nlu": content.examples(project)}
    )
    for kind, text in found.items():
        if text is not None:
            wiring.files[f"data/cc_bridge_{kind}.yml"] = text


def _wire_endpoints(project: RasaProject, wiring: Wiring) -> None:
    wiring.files["cc_bridge_channel.py"] = content.template("cc_bridge_channel.py.txt")
    if project.endpoints is None:
        wiring.files["endpoints.yml"] = content.endpoints_file()
    else:
        known = project.action_endpoint
        lines = [line for line in content.ENDPOINT if line.partition(":")[0] not in known]
        unwanted = _MODULE if _MODULE in known else None
        if lines or unwanted:
            _edit(project, wiring, "endpoints.yml", {"action_endpoint": lines}, unwanted)
    if project.credentials is None:
        wiring.files["credentials.yml"] = content.credentials_file()
    elif content.CHANNEL not in project.credentials:
        _edit(project, wiring, "credentials.yml", {content.CHANNEL: [content.CHANNEL_ENTRY]})


def _wire_actions(project: RasaProject, wiring: Wiring) -> None:
    if project.own_actions is OwnActions.NONE:
        return
    wiring.actions = "actions"
    if project.own_actions is OwnActions.PACKAGE:
        wiring.files["actions/cc_bridge.py"] = f'"""The actions of rasa-cc-bridge."""\n\n{_IMPORT}'
        if not (project.folder / "actions" / "__init__.py").exists():
            wiring.files["actions/__init__.py"] = ""
        return
    old = _text(project, "actions.py")
    if "bridge.actions" not in old:
        gap = "" if old.endswith("\n") or not old else "\n"
        wiring.changes["actions.py"] = (old, f"{old}{gap}\n{_IMPORT}")


def _edit(
    project: RasaProject,
    wiring: Wiring,
    path: str,
    entries: Mapping[str, list[str]],
    unwanted: str | None = None,
) -> None:
    """Add entries to a file of the bot, by the patch or by hand.

    Args:
        project: the bot.
        wiring: gets the change, or the lines to add.
        path: the file.
        entries: what to add, by section.
        unwanted: a key of the first section that is removed.
    """
    old = _text(project, path)
    new = insert(old, entries) if any(entries.values()) else old
    if new is not None and unwanted is not None:
        new = remove(new, next(iter(entries)), unwanted)
    if new is not None:
        wiring.changes[path] = (old, new)
        return
    sections = (section_lines(section, added) for section, added in entries.items())
    lines = [line for lines in sections for line in lines]
    if unwanted is not None:
        lines.append(f"  # remove the key {unwanted} here")
    wiring.manual[path] = "\n".join(lines)


def _text(project: RasaProject, path: str) -> str:
    try:
        return (project.folder / path).read_bytes().decode("utf-8")  # keeps the ends of lines
    except UnicodeDecodeError:
        raise BridgeError(f"{project.folder / path}: the file cannot be read as UTF-8") from None


def _step(step: Step, action: str) -> str:
    place = step.place
    return (
        f"In {place.file}, line {place.line}, add before the step {step.name}:\n"
        f"  - action: {action}"
    )


def _names_agents(project: RasaProject) -> bool:
    """Return whether the bridge's configuration exists, and names an agent."""
    try:
        settings = read_mapping(project.folder / BRIDGE) or {}
    except BridgeError:  # the file may be valid where it is used
        return False
    agents = settings.get("agents")
    return isinstance(agents, dict) and any(name != "*" for name in agents)


def _listed(paths: Iterable[str]) -> str:
    *first, last = paths
    return f"{', '.join(first)} and {last}" if first else last


def _diff(path: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _notes(project: RasaProject) -> Iterator[str]:
    if project.calm:
        yield from _calm_notes(project)
    else:
        yield from _rules_notes(project)
    if not content.reaches_fallbacks(project):
        yield (
            "The condition `fallbacks: 3` is a comment in config/handoff.yml: it can hold once"
            f" {content.needed_for_fallbacks(project)}, before what the bot says."
        )
    if project.nlg is not None:
        how = (
            "rephrases responses" if project.nlg.get("type") == "rephrase" else "has an NLG server"
        )
        yield (
            f"endpoints.yml {how} (nlg). What the bridge says and suggests is rendered as written"
            " in the domain: it asks neither a rephraser nor an NLG server."
        )
    if _MODULE in project.action_endpoint:
        yield (
            f"endpoints.yml sets {_MODULE}: Rasa then runs the actions in its own process, ignores"
            " `url`, and never calls the bridge. The key has to go. The action server below serves"
            " your own actions, too."
        )
    if project.selective_domain:
        yield (
            "endpoints.yml sets enable_selective_domain: keep `send_domain: true` at the bridge's"
            " actions, which it needs to render responses."
        )
    if not set(project.credentials or {}) - {content.CHANNEL, "rasa"}:
        yield (
            "credentials.yml has no channel of your customers: add the one by which they reach"
            " Rasa."
        )
    if "rest" in (project.credentials or {}):
        yield (
            "credentials.yml opens the channel rest, which asks for no token: anyone who reaches it"
            " can write as any sender. Let only your own back end reach it."
        )
    yield (
        "rasa data validate reports utter_handoff_started and utter_handoff_unavailable as not"
        " used in any story or rule: an action sends them."
    )


def _rules_notes(project: RasaProject) -> Iterator[str]:
    if not project.has_component("RulePolicy"):
        yield "config.yml has no RulePolicy: without it, Rasa ignores data/cc_bridge_rules.yml."
    for form in project.text_forms(content.INTENT):
        yield (
            f"The form {form} takes any text for an answer (from_text), a request for a person"
            f" too: add {content.INTENT} to its ignored_intents in {project.domain_path}."
        )


def _calm_notes(project: RasaProject) -> Iterator[str]:
    for name in ("human_handoff", "pattern_human_handoff"):
        if content.has_flow(project, name):
            yield f"Your flow {name} is kept: let it call action_human_handoff."
    if content.has_flow(project, "pattern_completed"):
        yield (
            "Your flow pattern_completed is kept: let it say nothing while handoff_state is"
            " handoff or assist, or the bot goes on talking after a handoff."
        )
