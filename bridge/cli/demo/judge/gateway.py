"""What is expected of the gateway's record as a whole. Pure."""

from __future__ import annotations

from bridge.cli.demo.evidence import Evidence
from bridge.cli.demo.judge.record import Check, Judged, Words, count
from bridge.cli.demo.scenes import BEN, LI, MARIA


def _is_taken(evidence: Evidence, _words: Words) -> Judged:
    sent = [each for each in evidence.recorded if each["operation"] != "poll"]
    refused = [each for each in sent if each["verdict"] != "accepted"]
    found = f"{len(sent) - len(refused)} of {len(sent)} requests taken"
    if refused:
        found += f"; {refused[0]['path']}: {refused[0]['reason']}"
    met = bool(sent) and not refused
    return Judged("The strict gateway takes all it is sent", met, found)


def _tells_nobody_else(evidence: Evidence, _words: Words) -> Judged:
    known = {MARIA.call_id, LI.call_id, BEN.call_id}
    others = [each for each in evidence.messages if each["call"] not in known]
    return Judged("Nobody else gets anything", not others, count(len(others), "message"))


CHECKS: tuple[Check, ...] = (_is_taken, _tells_nobody_else)
