"""Translate Rasa's replies into the gateway's messages: ``Translator`` turns a reply into drafts.

The package is pure: no I/O, no database, no knowledge of conversations or deliveries. Read
``translator.py`` first; ``kinds.py`` and ``channels.py`` are the mapping tables, ``reading/``
parses the dialects of bots, ``fallback.py`` tries the media types of a row in order, and
``writer.py`` measures contents and splits long text.
"""

from bridge.translate.channels import RasaChannel
from bridge.translate.literal import literal
from bridge.translate.parts import Note
from bridge.translate.translator import Translation, Translator
from bridge.translate.writer import Room

__all__ = ["Note", "RasaChannel", "Room", "Translation", "Translator", "literal"]
