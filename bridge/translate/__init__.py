"""Rasa's replies as gateway messages: ``Translator`` turns a reply into drafts. Pure.

``channels.py`` and ``media.py`` are the tables, ``reading/`` knows the dialects of bots,
``fallback.py`` tries the media types of a row in order, ``writer.py`` measures and cuts.
"""

from bridge.translate.channels import RasaChannel
from bridge.translate.parts import Note
from bridge.translate.translator import Translation, Translator
from bridge.translate.writer import Room

__all__ = ["Note", "RasaChannel", "Room", "Translation", "Translator"]
