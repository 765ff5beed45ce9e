"""Read what is validated: the configuration, the domain and the training data."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge import config
from bridge.config.domain import Domain
from bridge.config.faults import Fault, Place
from bridge.config.pipeline import components
from bridge.config.rasa_files import LIMITS, files_of, no_such, top_level
from bridge.config.settings import BridgeSettings, HandoffSettings, MediaSettings
from bridge.config.source import Document, compose, decode, read_file
from bridge.turn import OWN_ACTIONS
from bridge.validation.training import Example, Training, examples

_WANTED = top_level("rules", "stories", "flows", "responses")
_NLU = top_level("nlu")
_SECTIONS = ("rules", "stories", "flows", "nlu", "responses")
_OF_CONFIG = {"pipeline", "policies", "recipe"}
_ALIKE = 0.85
_TOP = re.compile(r"^(\w+)[ \t]*:", re.MULTILINE)
_INTENT = re.compile(r"^\s*-\s*intent:\s*[\"']?([^\s\"'#]+)", re.MULTILINE)


@dataclass(frozen=True)
class Project:
    """A configuration and, as far as they were named, the parts of the Rasa project."""

    handoff: Document  # handoff.yml
    designer: HandoffSettings | None  # None if handoff.yml is invalid
    media: MediaSettings | None  # None if media.yml is invalid
    bridge: BridgeSettings | None  # None if bridge.yml is invalid, or a part of it unreadable
    domain: Domain | None = None
    training: Training | None = None
    endpoints: Document | None = None  # Rasa's endpoints.yml, like the next one if there is one
    credentials: Document | None = None
    components: tuple[str, ...] = ()  # of Rasa's config.yml; empty if it is not known
    faults: tuple[Fault, ...] = ()  # of reading the files

    @property
    def wanted(self) -> bool:
        """Whether Rasa is to call the bridge, which readers alone do not need."""
        if self.bridge is None or not self.bridge.readers:
            return True
        listed = self.domain.names("actions") if self.domain else ()
        called = self.training is not None and self.training.calls(*OWN_ACTIONS)
        return called or any(name in OWN_ACTIONS for name in listed)


def read_project(
    folder: Path | str | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    domain: Sequence[Path] = (),
    rules: Sequence[Path] = (),
    endpoints: Path | None = None,
    credentials: Path | None = None,
    pipeline: Path | None = None,
) -> Project:
    """Read a configuration and a Rasa project.

    Args:
        folder: the configuration's folder, as for ``config.load``.
        environ: the environment, as for ``config.load``.
        domain: files or folders of the domain; empty means the one that ``rasa.domain`` names.
        rules: files or folders of rules, stories, flows and NLU examples.
        endpoints: Rasa's ``endpoints.yml``; None means that it is not checked.
        credentials: Rasa's ``credentials.yml``; likewise.
        pipeline: Rasa's ``config.yml``; likewise.
    """
    seen = config.inspect(folder, environ, domain=domain)
    faults = list(seen.faults)
    for document in seen.domain.files if seen.domain else ():
        faults += document.repeated
    training = _training(rules, faults) if rules else None
    chosen = read_rasa_file(pipeline, faults)
    connection = [read_rasa_file(file, faults) for file in (endpoints, credentials)]
    return Project(
        handoff=seen.designers,
        designer=seen.designer,
        media=seen.media,
        bridge=None if seen.operators.faults else seen.bridge,
        domain=seen.domain,
        training=training,
        endpoints=connection[0],
        credentials=connection[1],
        components=tuple(components(chosen.value)) if chosen and _is_rasas(chosen) else (),
        faults=tuple(faults),
    )


def _is_rasas(document: Document) -> bool:
    """Return whether a ``config.yml`` is Rasa's, and not another program's."""
    return isinstance(document.value, dict) and bool(document.value.keys() & _OF_CONFIG)


def read_rasa_file(path: Path | None, faults: list[Fault]) -> Document | None:
    """Return a file of Rasa's; None, perhaps with faults, if there is none that can be read."""
    document = read_file(path, str(path), LIMITS) if path is not None else None
    if document is None:
        return None
    faults += (*document.faults, *document.repeated)
    return None if document.faults else document


def _training(starts: Sequence[Path], faults: list[Fault]) -> Training:
    documents: list[Document] = []
    intents: list[Example] = []
    retrieval: set[str] = set()
    has_nlu = False
    for start in starts:
        files = files_of(start)
        if files is None:
            faults.append(no_such(str(start), "rules"))
        for file in files or ():
            document, text = _text(file)
            if _NLU.search(text):
                has_nlu = True
                intents += examples(text, document.file)
                retrieval |= {name for name in _INTENT.findall(text) if "/" in name}
            if _WANTED.search(text) or (files == [start] and not _NLU.search(text)):
                compose(text, document, limits=LIMITS)  # NLU examples are long, and not needed
                documents.append(document)
            elif not _NLU.search(text):
                faults += _misnamed(document, text)
            faults += (*document.faults, *document.repeated)
    return Training(tuple(documents), tuple(intents), frozenset(retrieval), has_nlu)


def _misnamed(document: Document, text: str) -> Iterator[Fault]:
    """Yield a fault for a file of which a misspelt section keeps Rasa from reading it."""
    for match in _TOP.finditer(text):
        close = difflib.get_close_matches(match[1], _SECTIONS, n=1, cutoff=_ALIKE)
        if close:
            line = text.count("\n", 0, match.start()) + 1
            yield Fault(
                Place(document.file, line, 1),
                (match[1],),
                found="a section that Rasa does not know",
                allowed=", ".join(_SECTIONS),
                meant=close[0],
                hint=f"rename it to {close[0]}",
            )


def _text(file: Path) -> tuple[Document, str]:
    document = Document(str(file))
    try:
        raw = file.read_bytes()
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        hint = "it must be a file that this user may read"
        fault = Fault(document.place(()), wrong=f"not readable: {reason}", hint=hint)
        document.faults.append(fault)
        return document, ""
    return document, decode(raw, document, LIMITS) or ""
