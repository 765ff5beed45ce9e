"""Check the conditions of ``handoff.yml``: those that can never hold, and those that always do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from bridge.config.faults import Fault, KeyPath, printable, suggest
from bridge.config.misspelt import unknown
from bridge.config.rasa_names import COMMANDS
from bridge.config.settings import Condition
from bridge.config.source import Document
from bridge.config.values import code_of
from bridge.model import Mode
from bridge.triggers.conditions import ANY
from bridge.turn.message import NLU_FALLBACK, underscored
from bridge.turn.reading import fold
from bridge.validation.finding import fault, warning
from bridge.validation.project import Project
from bridge.validation.slot_values import check_value

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_CODES = {"english": "en", "german": "de", "chinese": "zh", "french": "fr", "spanish": "es"}
_KNOWN_CONFIDENCE = 0.3  # the default threshold of Rasa's FallbackClassifier


def check(project: Project) -> Iterator[Fault]:
    """Yield the faults of all conditions."""
    if project.designer is None:
        return
    document = project.handoff
    yield from _automatic(project)
    lists: tuple[tuple[str, Sequence[Condition]], ...] = (
        ("handoff", project.designer.handoff.when),
        ("assist", project.designer.assist.when),
    )
    for section, items in lists:
        if document.get((section, "when")) is None:
            continue  # the defaults
        for number, item in enumerate(items):
            path: KeyPath = (section, "when", number)
            yield from _always(document, path, item)
            yield from _never(document, path, item)
            yield from _command(document, path, item)
            yield from _flow(project, path, item)
            yield from _value(project, path, item)
            yield from _retrieval(project, path, item)
            yield from _languages(document, path, item)
            yield from _covered(document, path, item, items[:number])


def _automatic(project: Project) -> Iterator[Fault]:
    """Warn of intents that are to be sent automatically, and of which nothing is suggested."""
    assist = project.designer.assist if project.designer else None
    if assist is None or assist.mode is not Mode.AUTO:
        return
    if any(item.intent in (None, ANY) for item in assist.when):
        return
    known = project.domain.names("intents") if project.domain else ()
    suggested = {(item.intent or "").split("/", 1)[0] for item in assist.when}
    for number, intent in enumerate(assist.auto.intents):
        base = intent.split("/", 1)[0]
        if base not in suggested and (not known or base in known):
            yield warning(
                project.handoff,
                ("assist", "auto", "intents", number),
                f"nothing is ever sent for {intent}: no item of assist.when suggests a reply to it",
                meant=suggest(intent, suggested),
                hint=f"add an item with intent: {intent} to assist.when",
            )


def _always(document: Document, path: KeyPath, item: Condition) -> Iterator[Fault]:
    if path[0] != "handoff" or item.intent != ANY or _tests(item) != {"intent"}:
        return
    if not item.min_confidence:
        yield warning(
            document,
            (*path, "intent"),
            "this condition always holds: every message is handed off",
            hint="name an intent, or add a min_confidence or another key",
        )


def _never(document: Document, path: KeyPath, item: Condition) -> Iterator[Fault]:
    if item.keyword is not None and not any(
        fold(word) for words in item.keyword.values() for word in words
    ):
        yield fault(
            document,
            (*path, "keyword"),
            "this condition can never hold: it lists no keyword",
            hint="list the words of each language: {en: [agent, human]}",
        )
    for language, words in (item.keyword or {}).items():
        for number, word in enumerate(words):
            if "*" in word.strip(" *"):
                yield _literal(document, (*path, "keyword", language, number), word)
    if item.intent == NLU_FALLBACK and (item.min_confidence or 0) > _KNOWN_CONFIDENCE:
        yield warning(
            document,
            (*path, "min_confidence"),
            "this condition can hardly hold: the confidence of nlu_fallback is the threshold of"
            f" the FallbackClassifier, {_KNOWN_CONFIDENCE:g} by default",
            hint="remove min_confidence; use fallbacks to count messages that were not understood",
        )
    if item.fallbacks and item.intent not in (None, ANY, NLU_FALLBACK):
        yield warning(
            document,
            (*path, "intent"),
            "this condition can never hold: a message with a known intent is not a fallback",
            hint="make two items, one with intent and one with fallbacks",
        )


def _literal(document: Document, path: KeyPath, word: str) -> Fault:
    first, _, last = word.strip(" *").partition("*")
    meant = f"{first}*" if first else f"*{last}"
    return warning(
        document,
        path,
        f"the asterisk within {printable(word)} stands for itself, so that only a message with an"
        " asterisk contains this keyword",
        meant=printable(meant),
        hint="put the asterisk at the beginning or at the end, or list the words",
    )


def _command(document: Document, path: KeyPath, item: Condition) -> Iterator[Fault]:
    if item.command is not None and underscored(item.command) not in COMMANDS:
        yield warning(
            document,
            (*path, "command"),
            "this condition can never hold: Rasa has no such command",
            meant=suggest(underscored(item.command), COMMANDS),
            hint=f"name one of {', '.join(COMMANDS)}",
        )


def _flow(project: Project, path: KeyPath, item: Condition) -> Iterator[Fault]:
    training = project.training
    if item.flow is None or training is None or item.flow.startswith("pattern_"):
        return
    if item.flow not in training.flows:
        yield fault(
            project.handoff,
            (*path, "flow"),
            "this condition can never hold: there is no such flow in the files of --rules",
            meant=suggest(item.flow, training.flows),
            hint="name a flow, or name its file with --rules",
        )


def _value(project: Project, path: KeyPath, item: Condition) -> Iterator[Fault]:
    """Check ``is`` against the slot's type and values."""
    if item.slot is not None and item.asks_value:
        here = (*path, "is")
        yield from check_value(project.handoff, here, item.is_, item.slot, project.domain)


def _retrieval(project: Project, path: KeyPath, item: Condition) -> Iterator[Fault]:
    """Check that a retrieval intent such as ``faq/hours`` has examples."""
    training = project.training
    base, slash, _ = (item.intent or "").partition("/")
    if not slash or training is None or not training.has_nlu:
        return
    known = sorted(name for name in training.retrieval_intents if name.startswith(f"{base}/"))
    if item.intent not in known:
        yield unknown(
            project.handoff,
            (*path, "intent"),
            item.intent or "",
            [*known, base],
            f"a retrieval intent with examples: {', '.join(known) or 'there are none of ' + base}",
            hint="name one of them, or the whole intent without a slash",
        )


def _languages(document: Document, path: KeyPath, item: Condition) -> Iterator[Fault]:
    for language in item.keyword or {}:
        if not _LANGUAGE.fullmatch(language):
            yield warning(
                document,
                (*path, "keyword", language),
                "keywords are listed by the code of their language, and this is no code",
                meant=_CODES.get(language.casefold(), ""),
                hint="write a code such as en, de or zh-CN",
                at_key=True,
            )


def _tests(item: Condition) -> set[str]:
    """Return the keys of an item that are conditions by themselves."""
    return {key for key in Condition.tests() if getattr(item, key, None) is not None}


def _covered(
    document: Document, path: KeyPath, item: Condition, earlier: Sequence[Condition]
) -> Iterator[Fault]:
    """Warn of an item that an earlier, wider one covers: it changes nothing."""
    for number, other in enumerate(earlier):
        if _covers(other, item):
            first = f"{path[0]}.when[{number}]"
            yield warning(
                document,
                path,
                f"this item is never reached: {first} holds whenever it does, and comes first",
                hint=f"remove it, put it before {first}, or narrow {first}",
            )
            return


def _covers(wide: Condition, narrow: Condition) -> bool:
    """Return whether ``wide`` holds whenever ``narrow`` does."""
    keys = _tests(wide)
    return bool(keys) and keys <= _tests(narrow) and all(_wider(key, wide, narrow) for key in keys)


def _wider(key: str, wide: Condition, narrow: Condition) -> bool:
    check = _WIDER.get(key)
    return check(wide, narrow) if check else getattr(wide, key) == getattr(narrow, key)


def _wider_intent(wide: Condition, narrow: Condition) -> bool:
    same = wide.intent in (ANY, narrow.intent, (narrow.intent or "").split("/", 1)[0])
    return same and (wide.min_confidence or 0) <= (narrow.min_confidence or 0)


def _wider_slot(wide: Condition, narrow: Condition) -> bool:
    if wide.slot != narrow.slot:
        return False
    if wide.asks_value:
        return narrow.asks_value and wide.is_ == narrow.is_
    return not narrow.asks_value or narrow.is_ is not None


def _wider_keyword(wide: Condition, narrow: Condition) -> bool:
    """Compare by language, because a customer's language selects the words that are looked for."""
    more, fewer = _words(wide), _words(narrow)
    return more.keys() == fewer.keys() and all(fewer[code] <= more[code] for code in fewer)


def _words(item: Condition) -> dict[str, set[str]]:
    """Return the keywords of each language."""
    words: dict[str, set[str]] = {}
    for language, keywords in (item.keyword or {}).items():
        words.setdefault(code_of(language), set()).update(map(fold, keywords))
    return words


_WIDER: Mapping[str, Callable[[Condition, Condition], bool]] = {
    "intent": _wider_intent,
    "slot": _wider_slot,
    "fallbacks": lambda wide, narrow: (wide.fallbacks or 1) <= (narrow.fallbacks or 1),
    "command": lambda wide, narrow: (
        underscored(wide.command or "") == underscored(narrow.command or "")
    ),
    "keyword": _wider_keyword,
}
