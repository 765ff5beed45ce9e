"""Print the demo in a terminal; 80 columns are enough, and colour is not needed.

``agent.py`` and ``wire.py`` draw the rows of suggestions and of gateway requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.status import Status
from rich.table import Table
from rich.text import Text

from bridge.cli.demo import scenes
from bridge.cli.demo.agent import AgentView, TableRow
from bridge.cli.demo.expectations import Checked
from bridge.cli.demo.glyphs import ASCII, Glyphs
from bridge.cli.demo.played import Played
from bridge.cli.demo.scenes import Scene
from bridge.cli.demo.wire import Wire
from bridge.cli.peers import JsonObject

_WIDEST = 100
_MARGIN, _LABEL, _BAR = 1, 8, 1  # columns
_LONG, _GIST = 160, 60  # characters of a message shown in full, columns of a paragraph
_LOG_LINES = 20
_EMPTY: TableRow = ("", "", "")


class Screen:
    """Prints the demo on a rich console, part by part."""

    def __init__(self, console: Console) -> None:
        console.width = min(console.width, _WIDEST)
        self._console = console
        self._glyphs = ASCII if console.options.ascii_only else Glyphs()
        self._wire = Wire(self._glyphs)
        self._agent = AgentView(self._glyphs)
        self._shown: dict[str, Played] = {}

    # -- the parts -----------------------------------------------------------------------------

    def opening(self) -> None:
        """Print the title."""
        self._print()
        self._print(Text("cc-bridge demo", style="bold"), indent=2)
        words = "A Rasa bot, an agent at a CC-Gateway, and the bridge between them."
        self._print(Text(words), indent=2)
        self._print()

    def waiting(self) -> Status:
        """Return a context manager that shows a spinner, in a terminal only."""
        return self._console.status("Starting a gateway and an action server", spinner="dots")

    def addresses(self, gateway: str, bridge: str, seconds: float) -> None:
        """Print the addresses of the servers."""
        grid = Table.grid(padding=(0, 2))
        grid.add_row(Text("gateway", style="dim"), gateway, Text("simulated, strict", style="dim"))
        command = Text("python -m rasa_sdk --actions actions", style="dim")
        grid.add_row(Text("action server", style="dim"), bridge, command)
        self._print(grid, indent=2)
        ready = f"Ready in {seconds:.1f} s, on this machine only."
        self._print(Text(ready, style="dim"), indent=2)

    def scene(self, scene: Scene, played: Played) -> None:
        """Print a scene: the conversation, the decision and its reason, the messages."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=_LABEL, justify="right", no_wrap=True)
        grid.add_column(width=_BAR)
        grid.add_column(overflow="fold")
        for row in self._rows(scene, played):
            grid.add_row(*row)
        self._shown[scene.key] = played
        self._heading(f"{len(self._shown)}  {scene.title}")
        self._print(Text(scene.note, style="dim"), indent=3)
        self._print()
        self._print(grid, indent=_MARGIN)

    def verdict(self, checked: Sequence[Checked], seconds: float) -> None:
        """Print every expectation with a check mark or its mismatches, and the result."""
        self._heading("What was recorded")
        self._print()
        grid = Table.grid(padding=(0, 2))
        grid.add_column()
        grid.add_column(overflow="fold")
        for check in checked:
            style = "green" if check.held else "bold red"
            sign = Text(self._glyphs.met if check.held else self._glyphs.missed, style=style)
            grid.add_row(sign, Text(check.sentence))
            for mismatch in check.mismatches:
                grid.add_row("", Text(mismatch, style="red"))
        self._print(grid, indent=3)
        missed = sum(not check.held for check in checked)
        result = Text(f"All {len(checked)} expectations hold.", style="bold green")
        if missed:
            result = Text(f"{missed} of {len(checked)} expectations do not hold.", style="bold red")
        values = f"  {sum(check.values for check in checked)} values compared, {seconds:.1f} s"
        self._print()
        self._print(Text.assemble(result, (values, "dim")), indent=3)
        self._print()

    def trouble(self, message: str) -> None:
        """Print why the demo stopped."""
        self._print()
        self._print(Text(f"The demo stopped: {message}", style="bold red"), indent=3)

    def log(self, name: str, written: str) -> None:
        """Print the end of a server's log."""
        self._print(Text(f"End of the log of the {name}:", style="bold"), indent=3)
        for line in written.splitlines()[-_LOG_LINES:] or ["(none)"]:
            self._copied(Text(f"     {line}", style="dim"))
        self._print()

    def kept(self, gateway: str, bridge: str, token_file: str) -> None:
        """Print how to query the servers that stay up."""
        self._print(Text("Both servers stay up until Ctrl-C.", style="bold"), indent=3)
        for line in (
            f"The API's token, which goes with them, is in {token_file}",
            "",
            f"curl -s {gateway}/simulator/messages",
            f'curl -s -H "Authorization: Bearer $(cat {token_file})" {bridge}/bridge/calls',
            "",
        ):
            self._copied(Text(f"   {line}"))

    def page(self, name: str, address: str) -> None:
        """Print the address of the agent's page, where a customer waits for an answer."""
        words = f"{name} is writing to {scenes.NICKNAME}. Answer her on the agent's page:"
        self._print(Text(words, style="bold"), indent=3)
        self._print()
        self._copied(Text(f"   {address}"))
        self._print()

    def _heading(self, words: str) -> None:
        self._print()
        self._console.print(Rule(Text(words, style="bold"), align="left", style="dim"))

    def _print(self, what: RenderableType = "", indent: int = 0) -> None:
        shown = Padding(what, (0, 0, 0, indent), expand=False) if indent else what
        self._console.print(shown, highlight=False)

    def _copied(self, line: Text) -> None:
        """Print a line without wrapping, so that it can be copied."""
        self._console.print(line, soft_wrap=True, highlight=False)

    # -- a scene's rows: a label, a bar if it is speech, and the content ------------------------

    def _rows(self, scene: Scene, played: Played) -> Iterator[TableRow]:
        if scene.routed:
            fields = scene.customer.assignment.items()
            yield self._fact("routing", f"PUT /bridge/assignments/{scene.customer.sender_id}")
            yield "", "", self._inline(f"{name}={value}" for name, value in fields)
            yield _EMPTY
        if scene.rule:
            yield self._fact("rules", f"handoff.yml, assist.when:\n  - {scene.rule}")
            yield _EMPTY
        for who, text in played.said:
            customer = who == "user"
            name, style = (scene.customer.name, "cyan") if customer else ("bot", "blue")
            yield self._speech(name, style, Text(text))
        yield _EMPTY
        earlier = self._shown.get(scene.repeats)
        if earlier is not None and earlier.events == played.events:
            yield from self._repetition(played)
        else:
            yield from self._decision(played)
        yield from self._agent.offered(played.offered)
        yield from self._wire.rows(scene, played)
        yield from self._received(played.uttered, played.got)
        for clicked in played.clicks.values():
            yield _EMPTY
            yield from self._agent.click(clicked)
            yield from self._wire.requests(clicked.wire, Text("gateway", style="dim"))
            yield from self._received((), clicked.got)

    def _repetition(self, played: Played) -> Iterator[TableRow]:
        yield self._fact("decided", Text("nothing new", style="bold"))
        yield self._fact("because", "this message and action were answered already")
        yield self._fact("to Rasa", f"the same {len(played.events)} events as before")

    def _decision(self, played: Played) -> Iterator[TableRow]:
        slots = played.slots
        decided, because = "nothing: the bot goes on", played.reason
        if error := slots.get("handoff_error"):
            decided = f"no handoff can be made: {error}"
            if error == "no_assignment":
                because += ", but the platform has assigned nobody"
        elif slots.get("handoff_state") == "bot":
            decided = "hand back to the bot"
        elif slots:
            decided = f"hand over to agent {slots.get('handoff_agent_id')}, {scenes.NICKNAME}"
        elif played.offered:
            decided = f"suggest it to agent {played.offered[0]['agent_id']}, {scenes.NICKNAME}"
        elif played.responses:
            decided = "answer: the bot has the call"
        yield self._fact("decided", Text(decided, style="bold"))
        because = because.replace("no item matched: ", "no item matched\n", 1)
        yield self._fact("because", because.replace("; ", "\n"))
        yield self._fact("to Rasa", self._answer(played))

    def _answer(self, played: Played) -> RenderableType:
        """Return the events and responses that Rasa got, in full at the first handoff."""
        slots = {name: "null" if value is None else value for name, value in played.slots.items()}
        others = [f"response={response.get('response')}" for response in played.responses]
        if not slots and not played.steps and not others:
            return "no events, no responses"
        if played.key != scenes.HANDED_OVER:
            texts = [f"{name}={value}" for name, value in slots.items() if value != "null"]
            short = [text for text in texts if " " not in text]
            long = (Text(text) for text in texts if " " in text)
            return Text("\n").join([self._inline([*short, *others, *played.steps]), *long])
        grid = Table.grid(padding=(0, 2))
        for name, value in slots.items():
            grid.add_row(Text(name, style="dim"), Text(str(value)))
        grid.add_row(Text("then", style="dim"), self._inline([*others, *played.steps]))
        return grid

    def _received(self, uttered: Sequence[str], got: Sequence[JsonObject]) -> Iterator[TableRow]:
        if uttered or got:
            yield _EMPTY
        for text in uttered:
            yield self._speech("bot", "blue", Text(text))
        for number, message in enumerate(got, 1):
            name = str((message["data"] or {}).get("senderNickname", message["agent"]))
            words = self._gist(str(message["text"]))
            if len(got) > 1:
                part = (f"part {number} of {len(got)}\n", "dim")
                words = Text.assemble(part, words)
            yield self._speech(name, "green", words)

    def _gist(self, text: str) -> Text:
        """Return a short text, or the beginning of each paragraph of a long one."""
        if len(text) <= _LONG:
            return Text(text)
        lines = [Text(paragraph) for paragraph in text.split("\n\n")]
        for line in lines:
            line.truncate(_GIST, overflow="ellipsis")
        return Text("\n").join(lines)

    def _speech(self, name: str, style: str, words: Text) -> TableRow:
        """Return speech as a row, with a bar of the same height."""
        width = self._console.width - _MARGIN - _LABEL - _BAR - 2
        lines = words.wrap(self._console, width)
        bar = "\n".join([self._glyphs.bar] * len(lines))
        return Text(name, style=f"bold {style}"), Text(bar, style=style), Text("\n").join(lines)

    def _inline(self, words: Iterator[str] | Sequence[str]) -> Text:
        """Join short words without spaces, so that lines break between them."""
        between = Text.assemble((f" {self._glyphs.dot} ", "dim"))
        return between.join(Text(word) for word in words)

    @staticmethod
    def _fact(label: str, what: RenderableType) -> TableRow:
        return Text(label, style="dim"), "", Text(what) if isinstance(what, str) else what
