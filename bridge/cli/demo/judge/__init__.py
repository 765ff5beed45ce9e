"""What is expected of the show, and whether the gateway's record says so. Pure.

What went out is judged on the gateway's record alone; only what Rasa and the agent were answered
is not there. ``handoff.py`` and ``assist.py`` judge the scenes, ``gateway.py`` the whole record.
"""

from __future__ import annotations

from bridge.cli.demo.evidence import Evidence
from bridge.cli.demo.judge import assist, gateway, handoff
from bridge.cli.demo.judge.record import Judged, Words

__all__ = ["Judged", "Words", "judge"]

_CHECKS = (*handoff.CHECKS, *assist.CHECKS, *gateway.CHECKS)


def judge(evidence: Evidence, words: Words) -> tuple[Judged, ...]:
    """Hold the evidence to every expectation."""
    return tuple(check(evidence, words) for check in _CHECKS)
