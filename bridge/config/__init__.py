"""Read YAML files and the environment into frozen settings, reporting all faults at once.

No other package reads YAML or the environment, and this one makes no network requests. Read
``loader.py`` first; the keys of the files are defined in ``operators.py``, ``designers.py`` and
``media.py``, and the rest of the program imports ``settings.py``.
"""

from bridge.config.domain import load_domain
from bridge.config.loader import defaults_folder, inspect, load
from bridge.config.schema import schema
from bridge.config.settings import Settings
from bridge.config.source import read_yaml

__all__ = ["Settings", "defaults_folder", "inspect", "load", "load_domain", "read_yaml", "schema"]
