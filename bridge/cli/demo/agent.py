"""Draw the agent's suggestions and clicks as rows of a scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from bridge.cli.demo import scenes
from bridge.cli.demo.glyphs import Glyphs
from bridge.cli.demo.played import Clicked
from bridge.cli.peers import JsonObject

TableRow = tuple[RenderableType, RenderableType, RenderableType]  # label, bar, content


class AgentView:
    """Draws suggestions, and clicks with the API's answer."""

    def __init__(self, glyphs: Glyphs) -> None:
        self._glyphs = glyphs

    def offered(self, suggestions: Sequence[JsonObject]) -> Iterator[TableRow]:
        """Yield the rows of suggestions: what the bot would say, and why."""
        for suggestion in suggestions:
            source = suggestion["source"]
            why = f"{source.get('intent')} at {source.get('confidence') or 0:.2f}"
            why += f", {source.get('response')}"
            words = Text.assemble(suggestion["text"], ("\n" + why, "dim"))
            yield Text(f"to {scenes.NICKNAME}", style="dim"), "", words

    def click(self, clicked: Clicked) -> Iterator[TableRow]:
        """Yield the rows of a click: the request to the API and its answer."""
        *before, suggestion, verb = clicked.path.split("/")
        path = "/".join([*before, self._glyphs.brief(suggestion), verb])
        there = Text(self._glyphs.there, style="yellow")
        yield Text("agent", style="dim"), there, Text(f"POST {path}")
        if clicked.text is not None:
            yield "", "", Text.assemble(("text  ", "dim"), clicked.text)
        yield "", Text(self._glyphs.back, style="yellow"), Text(_answered(clicked))


def _answered(clicked: Clicked) -> str:
    error = clicked.answer.get("error")
    if error:
        return f"{clicked.status} {error.get('code')}: {error.get('message')}"
    words = [f"{clicked.status} {clicked.answer.get('state')}"]
    words.append(f"by agent {clicked.answer.get('settled_by')}")
    return " ".join(words)
