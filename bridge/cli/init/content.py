"""What the bridge adds to a bot: domain, rules or flows, examples, and configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib import resources

from bridge.cli.init.phrases import PHRASES, REPHRASE
from bridge.cli.init.project import RasaProject
from bridge.config.pipeline import FALLBACK
from bridge.config.project_files import section_lines
from bridge.replies.texts import BUILT_IN, OwnText
from bridge.turn.message import NLU_FALLBACK
from bridge.validation.training import Step

ACTIONS = ("action_human_handoff", "action_agent_assist", "action_bridge", "action_handback")
SLOTS = (
    "handoff_state",
    "handoff_agent_id",
    "handoff_call_id",
    "handoff_delivery",
    "handoff_error",
    "handoff_summary",
)
INTENT = "human_handoff"
_SLOT = "{type: text, influence_conversation: false, mappings: [{type: custom}]}"
_REPHRASE = "utter_handoff_rephrase"
_LANGUAGE = "language"  # the slot that handoff.yml names by default
_HEADER = "# Added by cc-bridge init, for the handoff to human agents.\n"
_VERSION = 'version: "3.1"\n'


def template(name: str) -> str:
    """Return a file of the folder ``templates``."""
    return (resources.files(__package__) / "templates" / name).read_text(encoding="utf-8")


# -- the domain ------------------------------------------------------------------------------------


def domain_entries(project: RasaProject) -> dict[str, list[str]]:
    """Return what the domain lacks, by section; each entry is YAML in block style."""
    wanted = {
        "intents": {} if project.calm else {INTENT: INTENT},
        "actions": {name: f"{name}: {{send_domain: true}}" for name in ACTIONS},
        "slots": {name: f"{name}: {_SLOT}" for name in SLOTS},
        "responses": {name: "\n".join(lines) for name, lines in _responses(project).items()},
    }
    missing = {
        section: [entry for name, entry in entries.items() if name not in project.names(section)]
        for section, entries in wanted.items()
    }
    return {section: entries for section, entries in missing.items() if entries}


def _responses(project: RasaProject) -> dict[str, list[str]]:
    texts: dict[str, Mapping[str, str]] = {
        "utter_handoff_started": BUILT_IN[OwnText.STARTED],
        "utter_handoff_unavailable": BUILT_IN[OwnText.UNAVAILABLE],
    }
    if counts_fallbacks(project):
        texts[_REPHRASE] = REPHRASE
    return {name: [f"{name}:", *_variations(project, said)] for name, said in texts.items()}


def _variations(project: RasaProject, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield a response's lines: in the bot's language, and in those that customers choose."""
    default = _default_language(project)
    yield f"  - text: {_quoted(texts[default])}"
    for language in _chosen_languages(project):
        if language in texts and language != default:
            yield f"  - text: {_quoted(texts[language])}"
            yield f"    condition: [{{type: slot, name: {_LANGUAGE}, value: {language}}}]"


def _chosen_languages(project: RasaProject) -> list[str]:
    """Return the languages that the slot of the language may have."""
    slots = project.domain.get("slots")
    slot = slots.get(_LANGUAGE) if isinstance(slots, dict) else None
    if not isinstance(slot, dict):
        return []
    values = slot.get("values")
    return [str(each) for each in values] if isinstance(values, list) else sorted(REPHRASE)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def domain_file(entries: Mapping[str, list[str]]) -> str:
    """Return a domain file of its own."""
    sections = ["\n".join(section_lines(name, lines)) for name, lines in entries.items()]
    return _HEADER + _VERSION + "".join(f"\n{section}\n" for section in sections)


# -- the training data -----------------------------------------------------------------------------


def counts_fallbacks(project: RasaProject) -> bool:
    """Return whether the bot needs a rule for messages that it did not understand."""
    return (
        not project.calm and project.has_component(FALLBACK) and not project.passages(NLU_FALLBACK)
    )


def reaches_fallbacks(project: RasaProject) -> bool:
    """Return whether the condition ``fallbacks`` can hold: the bridge is called for fallbacks."""
    if project.calm:
        return calls_bridge_in(project, "pattern_cannot_handle")
    return counts_fallbacks(project) or project.in_data(
        r"intent:\s*['\"]?nlu_fallback\b['\"]?\s*(#.*)?\n\s*-\s*action:\s*['\"]?action_bridge\b"
    )


def calls_bridge_in(project: RasaProject, flow: str) -> bool:
    """Return whether a flow of the bot calls ``action_bridge``."""
    begin = re.search(rf"^([ \t]+)['\"]?{flow}['\"]?:\s*(#.*)?$", project.data, re.MULTILINE)
    if begin is None:
        return False
    below = project.data[begin.end() :]
    end = re.search(rf"^[ \t]{{0,{len(begin[1])}}}[^\s#]", below, re.MULTILINE)
    steps = below[: end.start() if end else None]
    return re.search(r"action:\s*['\"]?action_bridge\b", steps) is not None


def rules(project: RasaProject) -> str | None:
    """Return the rules that the bot lacks; None if it lacks none."""
    parts = []
    if not project.passages(INTENT):
        parts.append(
            "  - rule: Call a person\n"
            "    steps:\n"
            f"      - intent: {INTENT}\n"
            "      - action: action_human_handoff\n"
        )
    if counts_fallbacks(project):
        parts.append(
            "  # The bridge first: if it hands off, the pause ends the rule.\n"
            "  - rule: Not understood\n"
            "    steps:\n"
            f"      - intent: {NLU_FALLBACK}\n"
            "      - action: action_bridge\n"
            f"      - action: {_REPHRASE}\n"
        )
    return _HEADER + _VERSION + "\nrules:\n" + "\n".join(parts) if parts else None


def examples(project: RasaProject) -> str | None:
    """Return examples of the intent in the bot's languages; None if the bot has some."""
    if project.in_data(rf"^\s*-\s*intent:\s*['\"]?{INTENT}\b['\"]?\s*(#.*)?\n\s*examples"):
        return None
    languages = dict.fromkeys((project.language, *_chosen_languages(project)))
    known = [language for language in languages if language in PHRASES] or ["en"]
    phrases = [phrase for language in known for phrase in PHRASES[language]]
    lines = "".join(f"      - {phrase}\n" for phrase in phrases)
    return f"{_HEADER}{_VERSION}\nnlu:\n  - intent: {INTENT}\n    examples: |\n{lines}"


_FLOWS = {
    "human_handoff": """\
  human_handoff:
    name: talk to a person
    description: The customer asks to talk to a person, such as an agent or an employee.
    steps:
      - action: action_human_handoff
""",
    "pattern_human_handoff": """\
  pattern_human_handoff:
    name: pattern human handoff
    description: The customer asks for a person, and no flow of the bot does what they want.
    steps:
      - action: action_human_handoff
""",
    # Otherwise the bot asks "What else can I help you with?" after it has handed off.
    "pattern_completed": """\
  pattern_completed:
    name: pattern completed
    description: A flow has been completed, and there is nothing else to do.
    steps:
      - noop: true
        next:
          - if: slots.handoff_state is "handoff" or slots.handoff_state is "assist"
            then: END
          - else:
              - action: utter_can_do_something_else
                next: END
""",
}


def has_flow(project: RasaProject, name: str) -> bool:
    """Return whether the training data defines a flow."""
    return project.in_data(rf"^\s+['\"]?{name}['\"]?:\s*(#.*)?$")


def flows(project: RasaProject) -> str | None:
    """Return the flows that the bot lacks; None if it lacks none."""
    missing = [flow for name, flow in _FLOWS.items() if not has_flow(project, name)]
    return _HEADER + "flows:\n" + "\n".join(missing) if missing else None


_CALLS = {INTENT: ACTIONS[0], NLU_FALLBACK: "action_bridge"}


def steps_to_add(project: RasaProject) -> Iterator[tuple[Step, str]]:
    """Yield the steps of the bot's own rules before which an action of the bridge belongs."""
    if project.calm:
        return
    for intent, action in _CALLS.items():
        for passage in project.passages(intent):
            actions = [step for step in passage.steps if step.kind == "action"]
            if actions and not passage.named(*_CALLS.values()):
                yield actions[0], action


# -- the configuration and Rasa's endpoints --------------------------------------------------------


def bridge_yml(domain: str) -> str:
    """Return the operators' file."""
    return template("bridge.yml").replace("$DOMAIN", domain)


def handoff_yml(project: RasaProject) -> str:
    """Return the designers' file: when to hand off, and what to suggest to agents."""
    asks = (
        "{command: human_handoff}" if project.calm else f"{{intent: {INTENT}, min_confidence: 0.6}}"
    )
    replies = [
        f"    - {{intent: {intent}, reply: response_selector}}\n"
        for intent in project.retrieval_intents
    ]
    assist = "  when:\n" + "".join(replies) if replies else "  when: []\n"
    return (
        "# For designers: when a person takes over, and what the bot suggests to agents. Every\n"
        "# key that is absent has its default; docs/designer.md of rasa-cc-bridge lists all.\n\n"
        "handoff:\n"
        "  when:  # one of these is enough\n"
        f"    - {asks}\n"
        f"{_fallbacks(project)}"
        "  say: utter_handoff_started\n"
        "  unavailable: utter_handoff_unavailable\n"
        "  then: pause\n\n"
        "assist:\n"
        f"{assist}\n"
        f"language: {{slot: {_LANGUAGE}, default: {_default_language(project)}}}\n"
    )


def _fallbacks(project: RasaProject) -> str:
    if reaches_fallbacks(project):
        return "    - {fallbacks: 3}\n"
    return f"    # - {{fallbacks: 3}}  # once {needed_for_fallbacks(project)}\n"


def needed_for_fallbacks(project: RasaProject) -> str:
    """Return what the bot lacks for the condition ``fallbacks``."""
    if project.calm:
        return "a flow pattern_cannot_handle of your own calls action_bridge"
    rule = "a rule for nlu_fallback calls action_bridge"
    if project.has_component(FALLBACK):
        return rule
    return f"config.yml has a {FALLBACK} and {rule}"


def _default_language(project: RasaProject) -> str:
    return project.language if project.language in REPHRASE else "en"


ENDPOINT = ("url: http://localhost:5055/webhook", "token: ${BRIDGE_WEBHOOK_TOKEN}")
CHANNEL = "cc_bridge_channel.CCBridgeInput"
CHANNEL_ENTRY = "token: ${RASA_TOKEN}"


def endpoints_file() -> str:
    """Return Rasa's ``endpoints.yml``."""
    lines = "".join(f"  {line}\n" for line in ENDPOINT)
    return f"{_HEADER}action_endpoint:\n{lines}"


def credentials_file() -> str:
    """Return Rasa's ``credentials.yml``, with the bridge's channel alone."""
    return (
        f"{_HEADER}"
        "# Add the channel of your customers. The channel rest asks for no token: let only your\n"
        "# own back end reach it.\n"
        f"{CHANNEL}:\n  {CHANNEL_ENTRY}\n"
    )
