"""Draw the requests to the gateway as rows of a scene, with secrets masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.table import Table
from rich.text import Text

from bridge.cli.demo.agent import TableRow
from bridge.cli.demo.glyphs import Glyphs
from bridge.cli.demo.played import Played
from bridge.cli.demo.scenes import Scene
from bridge.cli.peers import JsonObject, as_object

_BASE = "/agentgateway/resource/"
_HEADERS = ("guid", "content-type")
_SIGN_IN = ("password", "phonenum", "status", "checkInWebm")  # of eight fields
_IN_SHORT = ("channel", "messageCode")  # of a message's fields, from the second message on


class Wire:
    """Draws requests and answers; all fields of a message only the first time."""

    def __init__(self, glyphs: Glyphs) -> None:
        self._glyphs = glyphs
        self._drawn = False  # whether a message was drawn in full

    def rows(self, scene: Scene, played: Played) -> Iterator[TableRow]:
        """Yield the rows of a scene's requests: a label, an arrow, the data sent or received."""
        label = Text("gateway", style="dim")
        if scene.away and played.deliveries:
            first = played.deliveries[0]
            when = f"at attempt {first['attempts']}, after {played.seconds:.1f} s"
            words = f"away for {scene.away:g} s: {first['state']} {when}"
            yield label, "", words
            label = Text()
        yield from self.requests(played.wire, label)

    def requests(self, entries: Sequence[JsonObject], label: Text) -> Iterator[TableRow]:
        """Yield the rows of some requests; the first has the label."""
        if not entries and label:
            yield label, "", "nothing was sent"
        for index, entry in enumerate(entries):
            path = Text(f"{entry['method']} {_BASE}{entry['path']}")
            yield label if index == 0 else "", Text(self._glyphs.there, style="yellow"), path
            yield "", "", _grid(self._request(entry))
            yield "", Text(self._glyphs.back, style="yellow"), self._answer(entry)

    def _request(self, entry: JsonObject) -> Iterator[tuple[str, object]]:
        headers = entry["headers"] or {}
        for name in _HEADERS[:1] if self._drawn else _HEADERS:
            if name in headers:
                value = headers[name]
                yield name.title(), self._glyphs.masked(value) if name == "guid" else value
        body = entry["body"] if isinstance(entry["body"], dict) else {}
        if entry["operation"] == "send_message":
            yield from self._message(body, entry["data"])
            return
        for name in _SIGN_IN:
            if name in body:
                yield name, self._glyphs.mask if name == "password" else body[name]

    def _message(self, body: JsonObject, fields: JsonObject) -> Iterator[tuple[str, object]]:
        for name in ("callid", "userid"):
            yield name, body.get(name)
        size = len(str(body.get("data", "")).encode())
        words = f"a string of {size:,} bytes: JSON with {len(fields)} fields"
        yield "data", Text(words, style="dim")
        shown = {name: fields.get(name) for name in _IN_SHORT} if self._drawn else fields
        self._drawn = True
        for name, value in shown.items():
            yield f"  {name}", self._glyphs.cut(str(value))

    def _answer(self, entry: JsonObject) -> Text:
        answer = entry["answer"]
        if answer is None:
            return Text("no answer", style="red")
        raw = answer["body"]  # text for a scripted fault
        body = raw if isinstance(raw, dict) else as_object(str(raw))
        text = Text(f"{answer['status']}, retcode {body.get('retcode')}")
        guid = (answer["headers"] or {}).get("Set-GUID")
        if guid:
            name, _, value = guid.partition("=")
            text.append(f", Set-GUID {name}={self._glyphs.masked(value)}")
        if entry["verdict"] != "accepted":
            text.append(f"  {entry['verdict']}: {entry['reason']}", style="red")
        return text


def _grid(pairs: Iterable[tuple[str, object]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(Text(name, style="dim"), value if isinstance(value, Text) else str(value))
    return grid
