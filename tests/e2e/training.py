"""The real Rasa's environment, and the model of the bot beside this module."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from tests.e2e.programs import Program

BOT = Path(__file__).parent / "bot"
_ROOT = Path(__file__).parents[2]
_TRAINED_OF = ("config.yml", "domain.yml", "data/nlu.yml", "data/rules.yml")
_SECONDS = 300.0

QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONWARNINGS": "ignore",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
}


def rasa_command() -> str:
    """The ``rasa`` of the environment that RASA_VENV names, else of ``.venv-rasa``."""
    found = _ROOT / os.environ.get("RASA_VENV", ".venv-rasa") / "bin" / "rasa"
    assert found.is_file(), f"there is no {found}: `make e2e` installs a Rasa, or set RASA_VENV"
    return str(found)


def model(rasa: str, folder: Path) -> Path:
    """The trained bot; it is trained anew only where one of its files changed."""
    named = hashlib.sha256(b"\0".join((BOT / name).read_bytes() for name in _TRAINED_OF))
    models = Path(rasa).parents[1] / "models"
    path = models / f"{named.hexdigest()[:16]}.tar.gz"
    if not path.exists():
        config, domain = str(BOT / "config.yml"), str(BOT / "domain.yml")
        command = [rasa, "train", "--config", config, "--domain", domain]
        command += ["--data", str(BOT / "data"), "--out", "trained", "--fixed-model-name", "bot"]
        with Program("train", command, folder, QUIET) as training:
            training.succeeds(_SECONDS)
        models.mkdir(exist_ok=True)
        (folder / "trained" / "bot.tar.gz").replace(path)
    return path
