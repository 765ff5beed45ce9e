"""The frozen settings of all three files: the module that the rest of the program imports.

Operators' keys are defined in ``operators.py``, designers' in ``designers.py``, and those of
``media.yml`` in ``media.py``. ``loader.py`` reads the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bridge.config.alerts import AlertSettings
from bridge.config.designers import (
    AssistRule,
    AssistRules,
    AutoRules,
    CardSettings,
    Condition,
    HandoffRules,
    HandoffSettings,
    LanguageSettings,
    ResponseName,
    TextSettings,
    response_names,
)
from bridge.config.hours import HolidayRange, HoursSettings
from bridge.config.media import MediaSettings
from bridge.config.operators import (
    AgentSettings,
    ApiSettings,
    AssignmentSettings,
    BridgeSettings,
    DeliverySettings,
    GatewaySettings,
    NamedToken,
    RasaSettings,
    RetentionSettings,
    Right,
    StorageSettings,
)
from bridge.config.page import PageSettings
from bridge.config.readers import ReaderSettings, WorkbenchSettings
from bridge.config.values import SECRET_BYTES, Section

__all__ = [
    "SECRET_BYTES",
    "AgentSettings",
    "AlertSettings",
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
    "HolidayRange",
    "HoursSettings",
    "LanguageSettings",
    "MediaSettings",
    "NamedToken",
    "PageSettings",
    "RasaSettings",
    "ReaderSettings",
    "ResponseName",
    "RetentionSettings",
    "Right",
    "Section",
    "Settings",
    "StorageSettings",
    "TextSettings",
    "WorkbenchSettings",
    "response_names",
]


class Settings(BaseModel):
    """The validated settings of all three files."""

    model_config = ConfigDict(frozen=True)

    bridge: BridgeSettings
    designer: HandoffSettings = HandoffSettings()
    media: MediaSettings = MediaSettings()
    domain: Mapping[str, Any] | None = Field(default=None, repr=False)  # read from rasa.domain
    folder: str = ""  # the folder of the files, for messages
    warnings: tuple[str, ...] = ()  # logged at start; see ``config_warnings.py``
