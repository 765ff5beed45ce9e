"""What ``cc-bridge init`` has to know of a Rasa project, read from its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from bridge import config
from bridge.config.domain import names_of
from bridge.config.forms import swallowed
from bridge.config.pipeline import components, is_calm
from bridge.config.project_files import read_mapping
from bridge.config.rasa_files import read_files, top_level
from bridge.errors import BridgeError
from bridge.validation.training import Passage, Training

_SUFFIXES = (".yml", ".yaml")
_SCRIPTS = top_level("rules", "stories")
_RETRIEVAL = re.compile(r"^\s*-\s*intent:\s*['\"]?(\w+)/", re.MULTILINE)


class OwnActions(Enum):
    """The custom actions that the bot has already."""

    NONE = "none"
    PACKAGE = "a folder"
    MODULE = "a file"


@dataclass(frozen=True)
class RasaProject:
    """A Rasa project.

    Attributes:
        language: of ``config.yml``.
        calm: whether the bot is built of flows.
        components: the names in the pipeline and the policies; Rasa's own where it chooses them.
        domain_path: file or folder of the domain, relative to the project.
        domain: the merged domain.
        data: the text of all training data.
        training: its rules and stories.
        endpoints, credentials: None where there is no such file.
    """

    folder: Path
    language: str
    calm: bool
    components: tuple[str, ...]
    domain_path: str
    domain: Mapping[str, Any]
    data: str
    training: Training
    endpoints: Mapping[str, Any] | None
    credentials: Mapping[str, Any] | None
    own_actions: OwnActions

    def names(self, section: str) -> list[str]:
        """Return the names in a section of the domain."""
        return names_of(self.domain.get(section))

    def has_component(self, name: str) -> bool:
        """Return whether the pipeline or the policies contain a component of this kind."""
        return any(each.endswith(name) for each in self.components)

    def in_data(self, pattern: str) -> bool:
        """Return whether a line of the training data matches a regular expression."""
        return re.search(pattern, self.data, re.MULTILINE) is not None

    def passages(self, intent: str) -> list[Passage]:
        """Return what the rules and stories do after a message with this intent."""
        return [
            passage
            for script in self.training.scripts
            for passage in script.passages
            if any(step.name == intent for step in passage.intents)
        ]

    def text_forms(self, intent: str) -> list[str]:
        """Return the forms that would take any text of this intent for an answer."""
        forms, slots = self.domain.get("forms"), self.domain.get("slots")
        return [
            str(name)
            for name, form in (forms.items() if isinstance(forms, dict) else ())
            if isinstance(form, dict) and swallowed(str(name), form, slots, [intent])
        ]

    @property
    def retrieval_intents(self) -> tuple[str, ...]:
        """The intents that a response selector answers."""
        if not self.has_component("ResponseSelector"):
            return ()
        return tuple(dict.fromkeys(_RETRIEVAL.findall(self.data)))

    @property
    def nlg(self) -> Mapping[str, Any] | None:
        """The section ``nlg`` of ``endpoints.yml``: an NLG server, or the rephraser."""
        found = (self.endpoints or {}).get("nlg")
        return found if isinstance(found, dict) else None

    @property
    def action_endpoint(self) -> Mapping[str, Any]:
        """The section ``action_endpoint`` of ``endpoints.yml``; empty if there is none."""
        found = (self.endpoints or {}).get("action_endpoint")
        return found if isinstance(found, dict) else {}

    @property
    def selective_domain(self) -> bool:
        """Whether Rasa sends the domain to some actions only."""
        return self.action_endpoint.get("enable_selective_domain") is True


def inspect(folder: Path) -> RasaProject:
    """Read a Rasa project.

    Raises:
        BridgeError: the folder contains no Rasa project, or one of its files cannot be read.
    """
    settings = read_mapping(folder / "config.yml")
    if settings is None:
        raise BridgeError(
            f"{folder} is no Rasa project: it has no config.yml. Name the folder of your bot, or"
            " make one with rasa init"
        )
    domain_path = next((each for each in ("domain.yml", "domain") if (folder / each).exists()), "")
    data = "\n".join(_texts(folder / "data"))
    names = tuple(components(settings))
    return RasaProject(
        folder=folder,
        language=str(settings.get("language") or "en"),
        calm=is_calm(names),
        components=names,
        domain_path=domain_path or "domain.yml",
        domain=config.load_domain(folder / domain_path) if domain_path else {},
        data=data,
        training=_training(folder),
        endpoints=read_mapping(folder / "endpoints.yml"),
        credentials=read_mapping(folder / "credentials.yml"),
        own_actions=_own_actions(folder),
    )


def _training(folder: Path) -> Training:
    documents = read_files(folder / "data", "data", _SCRIPTS) or []
    return Training(tuple(documents), (), frozenset(), has_nlu=False)


def _texts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SUFFIXES and path.is_file():
            try:
                yield path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError):
                raise BridgeError(f"{path}: the file cannot be read as UTF-8") from None


def _own_actions(folder: Path) -> OwnActions:
    if any((folder / "actions").glob("*.py")):
        return OwnActions.PACKAGE
    return OwnActions.MODULE if (folder / "actions.py").is_file() else OwnActions.NONE
