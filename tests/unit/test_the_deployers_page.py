"""The deployers' pages show every key of bridge.yml and every word of handoff_error.

A key, a command or an option that any page names is one that there is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from bridge.config.faults import KeyPath
from bridge.config.schema import Node, at, describe, is_mapping, keys, paths
from bridge.planners import outcome
from bridge.web.admission import FOREIGN_HEADERS

ROOT = Path(__file__).parents[2]
AGENT: KeyPath = ("agents", "291")
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "maxLength")
REFUSAL = re.compile(r'AssignmentError\("(\w+)"')


def page(name: str) -> str:
    """Return the text of a page of docs/."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def table(name: str, of: str) -> list[str]:
    """Return the lines of a table of a page, without its head."""
    return page(of).split(f"<!-- {name} -->\n")[1].split("\n<!-- end -->")[0].splitlines()[2:]


def shown(path: KeyPath) -> Iterator[KeyPath]:
    """The keys that have lines of their own: no sections, and an agent's below ``agents``."""
    node = at("bridge", path) or {}
    if path == AGENT or node.get("properties"):
        return
    yield path
    if path == AGENT[:1]:
        yield from ((*AGENT, key) for key in keys("bridge", at("bridge", AGENT) or {}))


def default(path: KeyPath, node: Node) -> str:
    """What a key has where nobody wrote it, as YAML has it."""
    if is_mapping(node):
        return '`{"*": {}}`' if path == AGENT[:1] else "`{}`"
    if "default" not in node:
        return "none"
    found = node["default"]
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    return f"`{found}`" if isinstance(found, str) else f"`{json.dumps(found)}`"


def values(node: Node) -> str:
    """What is allowed, where that is more than some text."""
    said = describe({name: node[name] for name in ("type", "enum", *BOUNDS) if name in node})
    return "" if said == "text" or is_mapping(node) else said


def row(path: KeyPath) -> str:
    node = at("bridge", path) or {}
    name = ".".join("ID" if step == AGENT[1] else str(step) for step in path)
    return f"| `{name}` | {default(path, node)} | {values(node)} | {node['description']} |"


def test_every_key_of_bridge_yml() -> None:
    rows = [row(path) for section in paths("bridge") for path in shown(section)]
    assert table("configuration", "configuration.md") == rows


def test_every_word_of_handoff_error() -> None:
    sources = (each.read_text(encoding="utf-8") for each in (ROOT / "bridge").rglob("*.py"))
    known = {word for source in sources for word in REFUSAL.findall(source)}
    known |= {*outcome._WHY, "rejected", "store_unavailable"}
    assert {line.split("`")[1] for line in table("handoff errors", "troubleshooting.md")} == known


def test_every_message_of_the_log_is_one_that_is_logged() -> None:
    sources = "\n".join(
        each.read_text(encoding="utf-8") for each in (ROOT / "bridge").rglob("*.py")
    )
    joined = re.sub(r'"\s+f?"', "", sources)
    rows = [line.split(" | ")[0] for line in table("log messages", "troubleshooting.md")]
    assert len(rows) > 20
    for text in (text for row in rows for text in re.findall("`([^`]+)`", row)):
        assert text in joined, text


def test_the_page_lists_the_headers_of_requests_that_are_not_rasas() -> None:
    lines = page("deployer.md").splitlines()
    (line,) = (line for line in lines if line.startswith("- `/webhook` accepts"))
    assert {name.lower() for name in re.findall("`([A-Z][A-Za-z-]+)`", line)} == set(
        FOREIGN_HEADERS
    )
