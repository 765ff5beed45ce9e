"""Load the three files and the environment into :class:`Settings`, or raise with all faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.config import environment, expansion
from bridge.config.calendars import read_calendar
from bridge.config.checking import check, found_at
from bridge.config.config_warnings import config_warnings
from bridge.config.designers import HandoffSettings
from bridge.config.domain import check_names, read_domain
from bridge.config.faults import Fault, KeyPath, Place, shown
from bridge.config.media import MediaSettings
from bridge.config.operators import BridgeSettings
from bridge.config.settings import Settings
from bridge.config.source import Document, read
from bridge.errors import ConfigurationError

FOLDER = "config"  # the default
FILES = ("bridge.yml", "handoff.yml", "media.yml")
_CA_FILE: KeyPath = ("gateway", "ca_file")
_DOMAIN: KeyPath = ("rasa", "domain")


def load(
    folder: Path | str | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    domain: Path | str | None = None,
) -> Settings:
    """Load the configuration.

    Args:
        folder: the folder of the files; None means the one in ``BRIDGE_CONFIG``, else ``config``.
        environ: the environment; None means that of the process.
        domain: the domain to check against, instead of the one that ``rasa.domain`` names.

    Raises:
        ConfigurationError: with every fault of all files and of the environment.
    """
    environ = environment.current() if environ is None else environ
    named = folder or environ.get(environment.FOLDER) or None
    place = Path(named or FOLDER)
    faults: list[Fault] = []
    if not place.is_dir() and (named is not None or place.exists()):
        faults.append(_no_folder(place, chosen_by_environment=not folder))
    documents = [_document(place / name, faults) for name in FILES]
    bridge, designer, media = _checked(documents, environ, faults)
    noted: list[str] = []
    if designer is not None:
        designer = _with_calendars(designer, documents[1], place, faults, noted)
    known, warnings = _against_domain(documents, domain, faults)
    if faults or bridge is None or designer is None or media is None:
        in_order = sorted(dict.fromkeys(faults), key=lambda fault: fault.order)
        raise ConfigurationError([str(fault) for fault in in_order])
    return Settings(
        bridge=bridge,
        designer=designer,
        media=media,
        domain=known,
        folder=str(place),
        warnings=(*config_warnings(bridge, designer), *noted, *warnings),
    )


def defaults_folder() -> Path:
    """Return the folder of the shipped files, in the installed package or in the checkout."""
    package = Path(__file__).parent.parent
    shipped = package / "defaults"
    return shipped if shipped.is_dir() else package.parent / "config"


def _no_folder(place: Path, *, chosen_by_environment: bool) -> Fault:
    source = f" (named by {environment.FOLDER})" if chosen_by_environment else ""
    what = "not a folder" if place.exists() else "a folder that does not exist"
    return Fault(
        Place(str(place)),
        found=what + source,
        allowed=f"a folder with {', '.join(FILES)}; only gateway.url has no default",
    )


def _document(path: Path, faults: list[Fault]) -> Document:
    other = path.with_suffix(".yaml")
    document = read(path)
    if document is None:
        if other.exists():
            wrong = f"this file is not read: rename it to {path.name}"
            faults.append(Fault(Place(str(other)), wrong=wrong))
        document = Document(str(path), exists=False)
    return document


def _checked(
    documents: list[Document], environ: Mapping[str, str], faults: list[Fault]
) -> tuple[BridgeSettings | None, HandoffSettings | None, MediaSettings | None]:
    operators, designers, tables = documents
    broken = [document.value is None and bool(document.faults) for document in documents]
    environment.overlay(operators, environ)
    expansion.expand(operators, environ)
    for document in (designers, tables):
        expansion.refuse(document)
    bridge = designer = media = None
    if not broken[0]:
        bridge = _operators(operators, faults)
    if not broken[1]:
        designer, section_faults = check(designers, HandoffSettings, "handoff")
        faults += section_faults
    if not broken[2]:
        media, section_faults = check(tables, MediaSettings, "media")
        faults += section_faults
    for document in documents:
        faults += document.faults
    return bridge, designer, media


def _with_calendars(
    designer: HandoffSettings,
    document: Document,
    folder: Path,
    faults: list[Fault],
    warnings: list[str],
) -> HandoffSettings:
    """Return the settings with the holidays of the calendars that they name."""
    hours = designer.handoff.hours
    if hours is None or not hours.calendars:
        return designer
    holidays = list(hours.holidays)
    for number, name in enumerate(hours.calendars):
        path: KeyPath = ("handoff", "hours", "calendars", number)
        try:
            calendar = read_calendar(folder / name)
        except OSError as error:
            what = f"no file: {shown(name, path)}" if isinstance(error, FileNotFoundError) else ""
            what = what or f"a file that is not readable: {shown(name, path)}"
            allowed = f"an iCalendar file in {folder}"
            faults.append(Fault(document.place(path), path, found=what, allowed=allowed))
            continue
        holidays += calendar.holidays
        faults += calendar.faults
        warnings += calendar.warnings
    hours = hours.model_copy(update={"holidays": tuple(holidays)})
    handoff = designer.handoff.model_copy(update={"hours": hours})
    return designer.model_copy(update={"handoff": handoff})


def _operators(document: Document, faults: list[Fault]) -> BridgeSettings | None:
    if document.value is None:
        document.value = {}
    if isinstance(document.value, dict) and document.value.get("gateway") is None:
        document.value["gateway"] = {}  # so that the fault names gateway.url
    bridge, section_faults = check(document, BridgeSettings, "bridge")
    faults += section_faults
    file = document.get(_CA_FILE)
    if isinstance(file, str) and file and not (_unread(document, _CA_FILE) or _is_file(file)):
        what = found_at(document, _CA_FILE, file, "bridge")
        allowed = "a PEM file with the CA's certificate, from the folder of the start"
        place = document.place(_CA_FILE)
        faults.append(Fault(place, _CA_FILE, found=f"no file: {what}", allowed=allowed))
    return bridge


def _unread(document: Document, path: KeyPath) -> bool:
    return any(fault.path == path for fault in document.faults)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # an invalid file name, or a folder without permission
        return False


def _against_domain(
    documents: list[Document], domain: Path | str | None, faults: list[Fault]
) -> tuple[Mapping[str, Any] | None, list[str]]:
    """Read the domain and check the designer's names against it; return it and the warnings."""
    operators, designers, _ = documents
    source = domain or operators.get(_DOMAIN)
    if not isinstance(source, Path | str) or not str(source):
        return None, []
    if domain is None and _unread(operators, _DOMAIN):
        return None, []
    # Messages show the text of the file, not the values that variables were expanded to.
    name = str(source) if domain else operators.sources.get(_DOMAIN, str(source))
    missing: list[Fault] = []
    known = read_domain(Path(source), name, missing)
    if known is None:
        faults += (_located(each, operators, name) if domain is None else each for each in missing)
        return None, []
    section_faults, warnings = check_names(designers, known, name)
    faults += section_faults
    return known, warnings


def _located(fault: Fault, operators: Document, name: str) -> Fault:
    """Attribute a missing domain to the key that names it."""
    if fault.place != Place(name) or fault.found:
        return fault
    return replace(fault, place=operators.place(_DOMAIN), path=_DOMAIN, found=f"{name}")
