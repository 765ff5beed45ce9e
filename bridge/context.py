"""The context that the parts of a process share; built once, where the process starts."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.config.settings import Settings
from bridge.core.clock import Clock
from bridge.planners import Rules
from bridge.store.engine import BUSY_SECONDS
from bridge.translate import Translator


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, what is derived from them, and what tests replace.

    Attributes:
        settings: the result of ``config.load``.
        rules: the planners' configuration, see ``of``.
        clock: of the core; tests replace it.
        busy_timeout: seconds that SQLite waits for another process's transaction.
    """

    settings: Settings
    rules: Rules
    clock: Clock = field(default_factory=Clock)
    busy_timeout: float = BUSY_SECONDS

    @classmethod
    def of(cls, settings: Settings) -> Context:
        """Return the context of these settings on this machine."""
        translator = Translator(settings.media)
        return cls(settings, Rules.of(settings.bridge, settings.designer, translator))
