"""Configuration: YAML with line numbers into frozen settings; every fault at once.

The only package that reads YAML and the environment. What may be said is in ``operators.py``,
``designers.py`` and ``media.py``; the rest of the program imports ``settings.py``.
"""

from bridge.config.domain import load_domain
from bridge.config.loader import defaults_folder, load
from bridge.config.schema import schema
from bridge.config.settings import Settings
from bridge.config.source import read_yaml

__all__ = ["Settings", "defaults_folder", "load", "load_domain", "read_yaml", "schema"]
