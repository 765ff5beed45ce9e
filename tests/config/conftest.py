"""Folders with configuration in them, and what loading one comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.config import Settings, load
from bridge.errors import ConfigurationError

GATEWAY = 'gateway: {url: "https://gw.example:8043"}\n'  # all that bridge.yml must say


@dataclass(frozen=True)
class Folder:
    """A configuration folder of a test."""

    path: Path

    def write(self, **files: str | bytes) -> Folder:
        """``bridge=``, ``handoff=`` and ``media=`` are the files' contents."""
        for name, content in files.items():
            raw = content if isinstance(content, bytes) else content.encode()
            (self.path / f"{name}.yml").write_bytes(raw)
        return self

    def load(self, environ: Mapping[str, str] | None = None) -> Settings:
        return load(self.path, environ or {})

    def faults(self, environ: Mapping[str, str] | None = None) -> list[str]:
        """Every fault, without the name of the folder."""
        with pytest.raises(ConfigurationError) as caught:
            self.load(environ)
        return [each.replace(f"{self.path}/", "") for each in caught.value.faults]

    def fault(self, environ: Mapping[str, str] | None = None) -> str:
        """The only fault."""
        (only,) = self.faults(environ)
        return only


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
