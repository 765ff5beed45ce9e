"""``python -m bridge.simulator``: the same as ``cc-bridge simulate gateway``."""

from __future__ import annotations

import typer

from bridge.simulator.command import gateway

typer.run(gateway)
