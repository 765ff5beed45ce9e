"""Expand ``${NAME}`` and ``${NAME:-default}`` in ``bridge.yml``, and only there.

A designer must not be able to print a secret, so ``handoff.yml`` and ``media.yml`` are not
expanded. Text there that looks like an expansion (capitals between the braces) is a fault, because
it was meant to be one. ``$${`` is a literal ``${``. Expanded values remain text, which the field
converts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bridge.config.faults import Fault, KeyPath, is_secret, shown, suggest
from bridge.config.source import Document

_ANY = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_BODY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_LOOKS_LIKE = re.compile(r"(\$?)(\$\{[A-Z_][A-Z0-9_]*(?::-[^{}]*)?\})")


def expand(document: Document, environ: Mapping[str, str]) -> None:
    """Expand every value from the file; values from the environment are taken literally."""
    for path, value in list(document.scalars()):
        if not isinstance(value, str) or "${" not in value or document.place(path).variable:
            continue
        expanded, fault = _expanded(document, path, value, environ)
        if fault is not None:
            document.faults.append(fault)
        elif _ANY.sub("", value.replace("$${", "")) != value.replace("$${", ""):
            document.sources[path] = value
        document.put(path, expanded)


def _expanded(
    document: Document, path: KeyPath, value: str, environ: Mapping[str, str]
) -> tuple[str, Fault | None]:
    faults: list[Fault] = []

    def one(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        body = _BODY.fullmatch(match[1] or "")
        if body is None:
            faults.append(_malformed(document, path, value))
            return match[0]
        name, default = body[1], body[2]
        held = environ.get(name)
        if default is not None:
            return held or default  # as in a shell: empty counts as unset
        if held is None:
            faults.append(_unset(document, path, name, environ))
            return match[0]
        return held

    expanded = _ANY.sub(one, value)
    return expanded, faults[0] if faults else None


def _unset(document: Document, path: KeyPath, name: str, environ: Mapping[str, str]) -> Fault:
    return Fault(
        document.place(path),
        path,
        found=f"${{{name}}}, and no variable {name} is set",
        allowed=f"a variable that is set, or ${{{name}:-default}}, or ${{{name}:-}} for nothing",
        meant=suggest(name, (known for known in environ if not known.startswith("_"))),
    )


def _malformed(document: Document, path: KeyPath, value: str) -> Fault:
    return Fault(
        document.place(path),
        path,
        found="a ${ that is no expansion" if is_secret(path) else shown(value, path),
        allowed="${NAME}, ${NAME:-default}, or $${ for a plain ${",
    )


def refuse(document: Document) -> None:
    """Add a fault for text in a designers' file that looks like an expansion."""
    for path, value in list(document.scalars()):
        if not isinstance(value, str) or not (matches := list(_LOOKS_LIKE.finditer(value))):
            continue
        plain = [match[2] for match in matches if not match[1]]
        if plain:
            fault = Fault(
                document.place(path),
                path,
                found=f"{plain[0]}: variables are expanded only in bridge.yml",
                allowed=f"the value itself, or ${plain[0]} for exactly that text",
            )
            document.faults.append(fault)
        else:
            document.put(path, _LOOKS_LIKE.sub(r"\2", value))


def names(source: str) -> str:
    """Return the variables in a value as it was written, without defaults: ``${A} and ${B}``."""
    matches = [_BODY.fullmatch(match[1] or "") for match in _ANY.finditer(source)]
    return " and ".join(dict.fromkeys(f"${{{body[1]}}}" for body in matches if body))
