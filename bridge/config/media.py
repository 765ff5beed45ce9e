"""The frozen settings of ``media.yml``: what changes the mapping tables, row by row."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class MediaSettings(BaseModel):
    """``media.yml``; the defaults are the tables as shipped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on_unknown_file: Literal["link", "url", "refuse"] = "link"
