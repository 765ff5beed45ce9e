"""Rasa's files beside the action server: do they lead to the bridge?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bridge.config.faults import Fault, spell
from bridge.config.settings import BridgeSettings
from bridge.doctor.diagnosis import Diagnosis, Severity, ok
from bridge.validation import connection
from bridge.validation.project import read_rasa_file

_KEY = "action_endpoint"


def examine(settings: BridgeSettings, folder: Path) -> Iterator[Diagnosis]:
    """Check ``endpoints.yml`` and ``credentials.yml`` of a folder, if it has them."""
    faults: list[Fault] = []
    endpoints = read_rasa_file(folder / connection.ENDPOINTS, faults)
    credentials = read_rasa_file(folder / connection.CREDENTIALS, faults)
    faults += connection.find(settings, endpoints, credentials, wanted=not settings.readers)
    if endpoints is not None and not faults:
        yield ok(_KEY, f"{connection.ENDPOINTS} leads to an action server")
    for fault in faults:
        yield _diagnosis(fault)


def _diagnosis(fault: Fault) -> Diagnosis:
    return Diagnosis(
        Severity(fault.severity),
        spell(fault.path) or fault.place.file,
        fault.found or fault.wrong,
        fault.allowed,
        fault.cure,
        fault.place.file,
        fault.place.line or 1,
        fault.place.column or 1,
    )
