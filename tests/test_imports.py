"""The fences between the packages: imports point downwards, and each library has one home."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the ground up. A unit imports units of lower rows and itself, never a neighbour in its row.
ROWS = (
    {"model"},
    {"untrusted"},
    {"errors", "identity", "links", "patterns", "signing"},
    {"frames", "unexpected", "log_records"},
    {"config", "turn", "metrics"},
    {"language"},
    {"triggers", "replies", "translate", "state"},
    {"alerts", "dialogue", "gateway", "store", "validation"},
    {"rasa"},
    {"planners", "assignment_tokens", "access_tokens"},
    {"core", "senders"},  # what decides when, and what blocks, know each other by commands alone
    {"queries", "upkeep", "doctor", "replay"},
    {"context"},
    {"service"},
    {"process"},
    {"runtime"},
    {"web"},
    {"actions", "cli"},
    {"__main__"},
)
RANK = {unit: rank for rank, row in enumerate(ROWS) for unit in row}

# What a unit leaves alone although it lies below.
LEFT_ALONE = {
    "state": {"config", "metrics", "identity", "signing"},
    "store": {"config", "turn", "triggers", "replies", "translate", "identity", "signing"},
    "gateway": {"turn", "triggers", "replies", "translate", "state", "metrics"},
    "alerts": {"turn", "triggers", "replies", "translate", "metrics"},
    "rasa": {"turn", "triggers", "replies", "translate", "dialogue", "state", "metrics", "store"},
    "dialogue": {"state"},
    "planners": {"alerts", "store", "rasa", "metrics", "identity", "signing"},
    "core": {
        "alerts",
        "config",
        "gateway",
        "rasa",
        "assignment_tokens",
        "access_tokens",
        "triggers",
        "replies",
        "translate",
    },
    "senders": {"store", "planners", "assignment_tokens", "access_tokens"},
    "queries": {"alerts", "rasa", "senders"},
    "upkeep": {"alerts", "gateway", "rasa", "planners", "senders"},
    "doctor": {"alerts", "planners", "core", "senders"},
    "process": {"alerts", "rasa", "gateway", "senders", "queries", "upkeep", "planners"},
    # The edge puts commands, and reads by queries.
    "web": {"alerts", "store", "rasa", "senders", "upkeep"},
    "actions": {"alerts", "store", "rasa", "senders", "upkeep", "gateway"},
    "cli": {"alerts", "store", "rasa", "senders", "gateway"},
}
# Of a unit that lies below, the only modules that another may import.
PARTS = {
    ("planners", "gateway"): {"wire", "events", "messages"},
    ("rasa", "gateway"): {"deadline"},
    ("assignment_tokens", "gateway"): {"wire"},
    ("queries", "gateway"): {"wire"},
    ("web", "gateway"): {"wire", "events"},
    ("runtime", "process"): {"client"},
    ("actions", "process"): {"supervisor", "workers"},
}
# Packages that are imported as a whole: what others use of them is exported by the package.
WHOLE = {"bridge.state.commands", "bridge.store.loading", "bridge.store.rows"}

# The only homes of a library.
HOMES = {
    "rasa_sdk": {"actions"},
    "pluggy": {"actions"},
    "sanic": {"web", "process", "simulator"},
    "requests": {"alerts", "doctor", "gateway", "rasa"},
    "urllib3": {"alerts", "gateway", "rasa"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "sqlite3": {"store"},
    "psycopg": {"store"},
    "re2": {"patterns"},
    "ruamel": {"config"},
    "yaml": {"config"},
    "prometheus_client": {"metrics"},
    "typer": {"cli", "simulator"},
    "rich": {"cli", "translate"},
}

# Pure: no clock, no chance, no threads, no files, no network; and of the configuration the values.
PURE = {
    "language",
    "links",
    "model",
    "patterns",
    "errors",
    "untrusted",
    "turn",
    "triggers",
    "replies",
    "translate",
    "dialogue",
    "state",
    "planners",
}
PURE_MODULES = {
    "bridge.core.batches",
    "bridge.core.breaker",
    "bridge.core.in_flight",
    "bridge.core.timers",
    "bridge.gateway.events",
    "bridge.gateway.messages",
    "bridge.gateway.wire",
    "bridge.config.config_warnings",
    "bridge.replay.history",
    "bridge.replay.judging",
}
# What pure modules use all the same.
USED = {
    ("translate", "rich"),  # its table of emoji names
    ("planners", "logging"),  # a plan says what is to be logged, and at which level
    ("patterns", "re2"),  # the one engine for patterns of the configuration
    ("state", "secrets"),  # a command's key is drawn where the command is made
}
PURE_CONFIG = {"settings", "operators", "designers", "hours", "media", "templates", "values"}
IMPURE = {
    "asyncio",
    "concurrent",
    "ftplib",
    "glob",
    "http",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "queue",
    "random",
    "secrets",
    "select",
    "shutil",
    "smtplib",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
}
READS_ENVIRONMENT = {"bridge.process.supervisor"}  # by which it tells workers where the core is
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


def faults(module: str, source: str) -> list[str]:
    """What ``module`` imports and should not: a sentence each, with the line."""
    tree = ast.parse(source)
    package = module if source.startswith("# package") else module.rpartition(".")[0]
    found = [
        f"{module}:{line} imports {name}: {why}"
        for line, name in _imports(tree, package)
        if (why := _why_not(module, name))
    ]
    if module not in READS_ENVIRONMENT and _unit(module) != "config":
        found += [f"{module}:{line} reads the environment" for line in _environment(tree)]
    return found


def _unit(module: str) -> str:
    """``bridge.gateway.wire`` belongs to ``gateway``; the top-level ``actions`` to itself."""
    first, _, rest = module.partition(".")
    return rest.partition(".")[0] if first == "bridge" else f"top-level {first}"


def _imports(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Every import, wherever it stands, by its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            up = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*up, *([node.module] if node.module else [])])
            # `from bridge import core` and `from bridge.config import media` name modules.
            yield from ((node.lineno, f"{base}.{each.name}") for each in node.names)


def _environment(tree: ast.AST) -> Iterator[int]:
    names = {"os"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {each.asname or each.name for each in node.names if each.name == "os"}
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (node.lineno for each in node.names if each.name in ENVIRONMENT)
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in names
            and node.attr in ENVIRONMENT
        ):
            yield node.lineno


def _why_not(module: str, name: str) -> str:
    """Why ``module`` may not import ``name``, or ``""``."""
    top = name.partition(".")[0]
    if top == "bridge":
        return _why_not_ours(module, name)
    if top == "actions":
        return "nobody imports what Rasa loads"
    homes = HOMES.get(top)
    if homes is not None and _unit(module) not in homes:
        return f"it lives in {' and '.join(sorted(homes))} only"
    if _is_pure(module) and (top in IMPURE or homes is not None or name.startswith("urllib.req")):
        return "" if (_unit(module), top) in USED else "a pure module does no I/O"
    return ""


def _why_not_ours(module: str, name: str) -> str:
    if (package := _opened(module, name)) is not None:
        return f"it is exported by {package}"
    mine, theirs = _unit(module), _unit(name)
    part = (name.split(".") + [""] * 3)[2]
    if mine == theirs or theirs not in RANK.keys() | {"simulator"}:
        return ""  # itself, or a name of the package
    reasons = {
        "it hands bridge.actions on, and nothing else": mine == "top-level actions"
        and theirs != "actions",
        "the simulator is a program of its own": theirs == "simulator" and mine != "cli",
        "the simulator shares nothing with the bridge": mine == "simulator",
        f"imports point downwards, and {theirs} is not below {mine}": theirs in RANK
        and RANK[theirs] >= RANK.get(mine, len(ROWS) if mine.startswith("top-level") else -1),
        f"{mine} leaves {theirs} alone": theirs in LEFT_ALONE.get(mine, ()),
        f"{mine} imports only some modules of {theirs}": part
        not in PARTS.get((mine, theirs), {part}),
        "a pure module takes settings, and does not load them": theirs == "config"
        and _is_pure(module)
        and part not in PURE_CONFIG,
    }
    return next((why for why, wrong in reasons.items() if wrong), "")


def _opened(module: str, name: str) -> str | None:
    """The package of ``WHOLE`` of which ``module``, from outside, names a module."""
    for package in WHOLE:
        outside = not f"{module}.".startswith(f"{package}.")
        if outside and name.startswith(f"{package}."):
            part = name.removeprefix(f"{package}.").partition(".")[0]
            if (ROOT.joinpath(*package.split("."), part).with_suffix(".py")).exists():
                return package
    return None


def _is_pure(module: str) -> bool:
    return _unit(module) in PURE or module in PURE_MODULES


def _modules() -> Iterator[tuple[str, Path]]:
    for top in ("bridge", "actions"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@pytest.mark.parametrize(
    ("module", "path"), [pytest.param(*each, id=each[0]) for each in _modules()]
)
def test_no_module_imports_what_it_may_not(module: str, path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    mark = "# package\n" if path.name == "__init__.py" else ""
    assert faults(module, mark + source) == []


def test_every_unit_has_a_row() -> None:
    units = {_unit(module) for module, _ in _modules()} - {"", "top-level actions", "simulator"}
    assert units <= RANK.keys()


_REQUESTS = "lives in alerts and doctor and gateway and rasa only"
CAUGHT = [
    ("bridge.core.core", "import bridge.web.api", "downwards"),
    ("bridge.core.core", "from bridge import web", "downwards"),
    ("bridge.core.core", "def f():\n    from bridge.actions import base", "downwards"),
    ("bridge.core.core", "from ..runtime import current", "downwards"),
    ("bridge.web.api", "from bridge.cli import main", "downwards"),
    ("bridge.cli.outbox", "from bridge.actions import base", "downwards"),
    ("bridge.gateway.client", "from bridge.planners import policy", "downwards"),
    ("bridge.core.core", "from bridge.senders import AllSenders", "downwards"),
    ("bridge.senders.deliveries", "from bridge.core import Core", "downwards"),
    ("bridge.store.loading", "from bridge.planners import changes", "downwards"),
    ("bridge.state.records", "from bridge.store import rows", "downwards"),
    ("bridge.planners.handoff", "from bridge.core.clock import Clock", "downwards"),
    ("bridge.planners.handoff", "from bridge.senders import AllSenders", "downwards"),
    ("bridge.model", "from bridge.errors import BridgeError", "downwards"),
    ("bridge.new_unit", "from bridge.model import Draft", "downwards"),
    ("bridge.planners.handoff", "from bridge.store import lists", "leaves store alone"),
    ("bridge.planners.compose", "from bridge.gateway.client import GatewayClient", "only some"),
    ("bridge.planners.compose", "from bridge.gateway import client", "only some"),
    ("bridge.senders.sessions", "from bridge.planners import sessions", "leaves planners alone"),
    ("bridge.core.core", "from bridge.gateway.client import GatewayClient", "leaves gateway alone"),
    ("bridge.store.rows", "from bridge.config.settings import Settings", "leaves config alone"),
    ("bridge.web.api", "from bridge.store import Store", "leaves store alone"),
    ("bridge.web.api", "from bridge.gateway.client import GatewayClient", "only some"),
    ("bridge.cli.outbox", "import bridge.store.lists", "leaves store alone"),
    ("bridge.simulator.app", "from bridge.gateway import wire", "shares nothing"),
    ("bridge.simulator.app", "from bridge.model import Channel", "shares nothing"),
    ("bridge.core.core", "import bridge.simulator", "program of its own"),
    ("bridge.web.api", "import rasa_sdk.events", "lives in actions only"),
    (
        "bridge.actions.base",
        "from sanic import Sanic",
        "lives in process and simulator and web only",
    ),
    (
        "bridge.planners.updates",
        "from sanic import Sanic",
        "lives in process and simulator and web only",
    ),
    ("bridge.core.core", "import requests", _REQUESTS),
    (
        "bridge.senders.rasa",
        "import requests",
        "lives in alerts and doctor and gateway and rasa only",
    ),
    (
        "bridge.planners.updates",
        "import requests",
        "lives in alerts and doctor and gateway and rasa only",
    ),
    ("bridge.web.api", "from sqlalchemy import text", "lives in store only"),
    ("bridge.cli.outbox", "from sqlalchemy import text", "lives in store only"),
    ("bridge.upkeep.erasing", "from sqlalchemy import text", "lives in store only"),
    ("bridge.core.core", "from ruamel.yaml import YAML", "lives in config only"),
    ("bridge.turn.reading", "import time", "no I/O"),
    ("bridge.triggers", "from pathlib import Path", "no I/O"),
    ("bridge.translate.text", "from urllib.request import urlopen", "no I/O"),
    ("bridge.gateway.wire", "import requests", "no I/O"),
    ("bridge.planners.policy", "import random", "no I/O"),
    ("bridge.planners.handoff", "import time", "no I/O"),
    ("bridge.planners.handoff", "import threading", "no I/O"),
    ("bridge.state.commands", "import logging", "no I/O"),
    ("bridge.core.breaker", "import time", "no I/O"),
    ("bridge.triggers.deciding", "from bridge.config import load", "does not load"),
    ("bridge.planners.rules", "from bridge.config import load", "does not load"),
    ("bridge.triggers.deciding", "import bridge.config", "does not load"),
    ("bridge.gateway.client", "import os\nx = os.environ['A']", "reads the environment"),
    ("bridge.gateway.client", "import os as o\nx = o.getenv('A')", "reads the environment"),
    ("bridge.gateway.client", "from os import environ", "reads the environment"),
    ("bridge.core.core", "from bridge.state.commands.base import Command", "is exported by"),
    ("bridge.state.plan", "from bridge.state.commands import base", "is exported by"),
    ("actions", "from bridge.core import Core", "nothing else"),
    ("bridge.core.core", "import actions", "what Rasa loads"),
]


@pytest.mark.parametrize(("module", "source", "why"), CAUGHT, ids=[" ".join(c[:2]) for c in CAUGHT])
def test_a_forbidden_import_is_caught(module: str, source: str, why: str) -> None:
    (fault,) = faults(module, source)
    assert fault.startswith(f"{module}:")
    assert why in fault


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bridge.planners.handoff", "from bridge.planners import calls\nfrom . import calls"),
        ("bridge.planners", "# package\nfrom .rules import Rules\nfrom bridge import model"),
        ("bridge.planners.compose", "import logging\nfrom bridge.gateway import wire"),
        ("bridge.core.core", "import threading\nfrom bridge.store import Store"),
        ("bridge.senders.rasa", "from bridge.rasa import Rasa\nfrom bridge.state import plan"),
        ("bridge.triggers.deciding", "from bridge.config.settings import Condition"),
        ("bridge.config.environment", "import os\nx = os.environ"),
        ("bridge.gateway.client", "import requests, os, time\nx = os.sep"),
        ("bridge.actions.plugin", "from bridge.web import app\nimport rasa_sdk"),
        ("bridge.cli.simulate", "from bridge.simulator import app\nfrom bridge import queries"),
        ("bridge.web.api", "from bridge import __version__\nfrom bridge.runtime import current"),
        ("bridge.simulator.app", "from bridge.simulator.state import State"),
        ("bridge.core.core", "from bridge.state.commands import CallAction, call_key"),
        ("bridge.state.commands.calls", "from bridge.state.commands.base import Command"),
        ("actions", "from bridge.actions import *"),
    ],
)
def test_the_stairs_are_open(module: str, source: str) -> None:
    assert faults(module, source) == []
