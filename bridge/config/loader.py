"""Load the three files and the environment into :class:`Settings`, or raise with all faults."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.config import environment, expansion
from bridge.config.calendars import read_calendar
from bridge.config.catalogues import check_catalogues
from bridge.config.checking import check, found_at
from bridge.config.config_warnings import config_warnings
from bridge.config.designers import HandoffSettings
from bridge.config.domain import Domain, read_domain
from bridge.config.faults import Fault, KeyPath, Place, shown
from bridge.config.media import MediaSettings
from bridge.config.names import check_names
from bridge.config.operators import BridgeSettings
from bridge.config.rasa_files import near, no_such
from bridge.config.settings import Settings
from bridge.config.source import Document, read
from bridge.errors import ConfigurationError

FOLDER = "config"  # the default
FILES = ("bridge.yml", "handoff.yml", "media.yml")
_CA_FILE: KeyPath = ("gateway", "ca_file")
_URL: KeyPath = ("gateway", "url")
_DOMAIN: KeyPath = ("rasa", "domain")
_ALIKE = 0.8  # how similar the name of a misnamed file is


@dataclass(frozen=True)
class Inspection:
    """What the files contain, and all that is wrong with them."""

    folder: Path
    operators: Document  # bridge.yml
    designers: Document  # handoff.yml
    bridge: BridgeSettings | None  # None if invalid, like the two below
    designer: HandoffSettings | None
    media: MediaSettings | None
    domain: Domain | None  # None if none is named, or if it cannot be read
    faults: tuple[Fault, ...]  # in order


def load(folder: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Load the configuration.

    Args:
        folder: the folder of the files; None means the one in ``BRIDGE_CONFIG``, else ``config``.
        environ: the environment; None means that of the process.

    Raises:
        ConfigurationError: with every fault of all files and of the environment.
    """
    seen = inspect(folder, environ)
    errors = [str(each) for each in seen.faults if each.severity == "error" and each.stops]
    if errors or seen.bridge is None or seen.designer is None or seen.media is None:
        raise ConfigurationError(errors)
    about_settings = [each.sentence for each in config_warnings(seen.bridge, seen.designer)]
    others = [each.sentence for each in seen.faults if each.wrong not in about_settings]
    return Settings(
        bridge=seen.bridge,
        designer=seen.designer,
        media=seen.media,
        domain=None if seen.domain is None else seen.domain.value,
        folder=str(seen.folder),
        warnings=(*about_settings, *others),
    )


def inspect(
    folder: Path | str | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    domain: Sequence[Path | str] = (),
) -> Inspection:
    """Read and check the files and the environment, like :func:`load`, but never raise.

    Args:
        folder: the folder of the files, as for :func:`load`.
        environ: the environment; None means that of the process.
        domain: the domain to check against, instead of the one that ``rasa.domain`` names.
    """
    environ = environment.current() if environ is None else environ
    named = folder or environ.get(environment.FOLDER) or None
    place = Path(named or FOLDER)
    faults: list[Fault] = []
    if not place.is_dir() and (named is not None or place.exists()):
        faults.append(_no_folder(place, chosen_by_environment=not folder))
    misnamed = list(_misnamed(place))
    faults += misnamed
    documents = [_document(place / name) for name in FILES]
    bridge, designer, media = _checked(documents, environ, faults)
    operators, designers, _ = documents
    faults += check_catalogues(operators, place)
    if any(each.meant == FILES[0] for each in misnamed):
        # What a file of another name says is not missing.
        faults = [each for each in faults if operators.exists or each.path != _URL]
    if designer is not None:
        designer = _with_calendars(designer, designers, place, faults)
    known = _domain(operators, domain, place, faults)
    if known is not None:
        faults += check_names(designers, known)
    if bridge is not None and designer is not None:
        # What a faulty section should say is not known.
        faulty = {fault.path[:1] for fault in faults if fault.severity == "error"}
        for each in _settings_warnings(operators, designers, bridge, designer):
            if each.path[:1] not in faulty:
                faults.append(each)
    in_order = sorted(dict.fromkeys(faults), key=lambda fault: fault.order)
    return Inspection(place, operators, designers, bridge, designer, media, known, tuple(in_order))


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


def _misnamed(folder: Path) -> Iterator[Fault]:
    """Yield a fault for each file whose name looks like that of one of ours, which is not read."""
    try:
        present = sorted(each.name for each in folder.iterdir() if each.is_file())
    except OSError:
        return
    for name in present:
        meant = _meant(name)
        if not meant or name in FILES:
            continue
        if meant not in present:
            wrong = f"this file is not read: its name is not {meant}"
            hint = f"rename it to {meant}"
            yield Fault(Place(str(folder / name)), wrong=wrong, meant=meant, hint=hint)
        elif Path(name).stem == Path(meant).stem:
            yield Fault(
                Place(str(folder / name)),
                wrong=f"this file is not read, only {meant} beside it",
                hint="remove it, or move what it says there",
                severity="warning",
            )


def _meant(name: str) -> str:
    """Return the one of our files that a file was probably meant to be, or ``""``."""
    stem, _, suffix = name.casefold().partition(".")
    if suffix not in ("yml", "yaml", "yml.txt", "yaml.txt", "yml.yml", "yl", "yaaml", "txt", ""):
        return ""
    stems = [Path(each).stem for each in FILES]
    close = difflib.get_close_matches(stem, stems, n=1, cutoff=_ALIKE)
    return f"{close[0]}.yml" if close else ""


def _document(path: Path) -> Document:
    return read(path) or Document(str(path), exists=False)


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
    designer: HandoffSettings, document: Document, folder: Path, faults: list[Fault]
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
            close = near(folder / name)
            meant = str(Path(close).relative_to(folder)) if close else ""
            fault = Fault(document.place(path), path, found=what, allowed=allowed, meant=meant)
            faults.append(fault)
            continue
        holidays += calendar.holidays
        faults += calendar.faults
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


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # an invalid file name, or a folder without permission
        return False


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # an invalid file name, or a folder without permission
        return False


def _domain(
    operators: Document, named: Sequence[Path | str], folder: Path, faults: list[Fault]
) -> Domain | None:
    """Read the domain, if one is named and can be read."""
    source = operators.get(_DOMAIN)
    if not isinstance(source, str) or _unread(operators, _DOMAIN):
        source = ""
    # Messages show the text of the file, not the values that variables were expanded to.
    name = operators.sources.get(_DOMAIN, source)
    if named:
        # The server may start in another folder than the one where this is run.
        if source and not any(_exists(each / source) for each in (Path(), folder.parent)):
            fault = no_such(name, "domain", near(Path(source)))
            faults.append(_located(fault, operators, name))
        return read_domain([(Path(each), str(each)) for each in named], faults)
    if not source:
        return None
    missing: list[Fault] = []
    known = read_domain([(Path(source), name)], missing)
    faults += (_located(each, operators, name) for each in missing)
    return known


def _located(fault: Fault, operators: Document, name: str) -> Fault:
    """Attribute a missing domain to the key that names it."""
    if fault.place != Place(name) or fault.found:
        return fault
    meant = "" if _DOMAIN in operators.sources else fault.meant
    place = operators.place(_DOMAIN)
    return replace(
        fault,
        place=place,
        path=_DOMAIN,
        wrong="",
        found=f"no such domain file or folder: {name}",
        allowed="a domain file or folder, from the folder of the start",
        meant=meant,
    )


def _settings_warnings(
    operators: Document, designers: Document, bridge: BridgeSettings, designer: HandoffSettings
) -> Iterator[Fault]:
    for path, sentence, hint in config_warnings(bridge, designer):
        document = designers if path[0] in HandoffSettings.model_fields else operators
        place = document.place(path, key=True)
        yield Fault(place, path, wrong=sentence, hint=hint, severity="warning")
