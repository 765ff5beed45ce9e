"""The names are the trade's: words of the first edition's own language do not come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
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
}


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
