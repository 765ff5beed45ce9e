"""The names are the trade's: words of the first edition's own language do not come back."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A word of the former language, and what the trade says.
GLOSSARY = {
    "bell": "notifier, wake up",
    "rung": "media type, step",
    "errand": "RasaUpdate",
    "messenger": "sender",
    "keeper": "poller",
    "courier": "sender process",
    "intake": "channel",
    "leisurely": "",
    "swift": "",
    "owe": "pending completion",
    "owed": "pending completion",
    "standing": "snapshot",
    "moved_error": "ConflictError",
    "passes": "access tokens",
    "unseal": "verify",
    "duty": "leader",
    "duties": "leader",
    "tidy": "maintenance, prune",
    "ageing": "pruning",
    "caution": "configuration warning",
    "cautions": "configuration warnings",
    "crowding": "limits",
    "patience": "timeout",
    "guard": "admission",
    "ladder": "fallback chain",
    "climb": "fall back",
    "book": "render context",
    "dressing": "as HTML",
    "wording": "as text",
    "lenient": "coercion",
    "mishap": "fault injection",
    "mishaps": "fault injection",
    "told": "sent, reported, summary",
    "heard": "recorded, received",
    "tell": "send, render",
    "tells": "send, render",
    "telling": "sending",
    "demand": "require",
    "site": "tenant",
}

# Names that the API's documents fix.
API_FIELDS = {"rasa_told"}


def _words(name: str) -> list[str]:
    """The words of an identifier, whichever way they are joined."""
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that a module defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def faults(module: str, source: str) -> list[str]:
    """Each name that is of the former language, with the line and the word to use instead."""
    defined = [*_names(ast.parse(source)), (0, module.rpartition(".")[2])]
    return [
        f"{module}:{line} {name}: {word} is now {GLOSSARY[word] or 'no word of ours'}"
        for line, name in defined
        if name not in API_FIELDS
        for word in _words(name)
        if word in GLOSSARY
    ]


MODULES = sorted(
    (".".join(path.relative_to(ROOT).with_suffix("").parts), path)
    for path in (ROOT / "bridge").rglob("*.py")
)


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[module for module, _ in MODULES])
def test_no_name_is_of_the_former_language(module: str, path: Path) -> None:
    assert faults(module, path.read_text(encoding="utf-8")) == []


def repeated(sources: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The class names that several modules, or one module twice, define, with those modules."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module, source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(module)
    return {name: modules for name, modules in homes.items() if len(modules) > 1}


def test_each_class_has_a_name_of_its_own() -> None:
    # The simulator shares nothing with the bridge on purpose, so its names may recur.
    sources = (
        (module, path.read_text(encoding="utf-8"))
        for module, path in MODULES
        if not module.startswith("bridge.simulator.")
    )
    assert repeated(sources) == {}


def test_a_class_name_with_two_meanings_is_caught() -> None:
    sources = [("a", "class Row: ..."), ("b", "class Row: ...\nclass Key: ...")]
    assert repeated(sources) == {"Row": ["a", "b"]}


@pytest.mark.parametrize(
    "source",
    [
        "def ring_bell(): ...",
        "class ErrandQueue: ...",
        "patience = 3",
        "def f(*, book): ...",
        "x.rung = 1",
    ],
)
def test_a_name_of_the_former_language_is_caught(source: str) -> None:
    assert len(faults("bridge.example", source)) == 1
