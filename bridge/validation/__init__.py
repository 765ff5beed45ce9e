"""Find what is wrong with a configuration, and with the Rasa project that it belongs to.

``project.py`` reads the files; each other module checks one topic and yields faults with a place
and a cure. The checks are pure: they see a ``Project`` and nothing else. What a server also checks
at start is in ``bridge.config``.
"""

from bridge.validation.project import Project, read_project
from bridge.validation.topics import find_faults

__all__ = ["Project", "find_faults", "read_project"]
