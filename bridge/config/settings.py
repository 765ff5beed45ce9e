"""The frozen settings of all three files, as the rest of the program asks for them.

Operators' keys are in ``operators.py``, designers' in ``designers.py``, the mapping tables of
``media.yml`` in ``media.py``. Nothing here reads a file: see ``loader.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bridge.config.designers import (
    AssistRule,
    AssistRules,
    AutoRules,
    CardSettings,
    Condition,
    HandoffRules,
    HandoffSettings,
)
from bridge.config.media import MediaSettings
from bridge.config.operators import (
    AgentSettings,
    ApiSettings,
    AssignmentSettings,
    BridgeSettings,
    DeliverySettings,
    GatewaySettings,
    RasaSettings,
    RetentionSettings,
    StorageSettings,
)
from bridge.config.values import SECRET_BYTES, Section

__all__ = [
    "SECRET_BYTES",
    "AgentSettings",
    "ApiSettings",
    "AssignmentSettings",
    "AssistRule",
    "AssistRules",
    "AutoRules",
    "BridgeSettings",
    "CardSettings",
    "Condition",
    "DeliverySettings",
    "GatewaySettings",
    "HandoffRules",
    "HandoffSettings",
    "MediaSettings",
    "RasaSettings",
    "RetentionSettings",
    "Section",
    "Settings",
    "StorageSettings",
]


class Settings(BaseModel):
    """All three files, read and checked."""

    model_config = ConfigDict(frozen=True)

    bridge: BridgeSettings
    designer: HandoffSettings = HandoffSettings()
    media: MediaSettings = MediaSettings()
    domain: Mapping[str, Any] | None = Field(default=None, repr=False)  # as rasa.domain holds it
    folder: str = ""  # where the files are, for messages
    warnings: tuple[str, ...] = ()  # what is allowed, and worth a word at start
