"""`bankai call --live`: type as the caller and watch what the bank sees."""

import asyncio
import sys

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bankai.cli.connection import Connection
from bankai.errors import InvalidRequestError
from bankai.intent.v1 import intent_pb2 as pb
from services.intent.cli.label_list import listed
from services.intent.cli.names import TRENDS, Names, reasons
from services.intent.cli.rendering import emotion_of, intents_of, line_of, summary_of
from services.intent.cli.streaming import LiveCall, open_call
from services.intent.cli.transcript import Line, parse_line
from services.intent.evaluation.gold import CALLER

SHOWN_TURNS = 8
RUNNERS_UP = 3


class View:
    """What the bank sees of the call so far.

    Args:
        names: Names of the labels.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._turns: list[tuple[Line, pb.SegmentAnalysis]] = []

    def add(self, line: Line, answer: pb.SegmentAnalysis) -> None:
        """Takes up a turn."""
        self._turns.append((line, answer))

    def render(self) -> RenderableType:
        """The latest turns, and the state of the call."""
        # In the list of turns escalation would repeat with each; the state below tells it.
        shown = frozenset(pb.EscalationReason.values())
        turns = [
            text for line, answer in self._turns[-SHOWN_TURNS:] for text in line_of(line, answer, self._names, shown)
        ]
        state = self._state() if self._turns else Text("Say something as the caller.", "dim")
        return Group(*turns, Panel(state, title="the call so far", title_align="left"))

    def _state(self) -> Table:
        call = self._turns[-1][1].call
        heard = [answer.analysis for line, answer in self._turns if line.speaker == CALLER]
        table = Table.grid(padding=(0, 2))
        main = f"{self._names.intent(call.main_intent_id)} {call.main_intent_probability:.2f}"
        table.add_row("about", Text(main if call.main_intent_id else "not clear yet", "bold blue"))
        if heard:
            others = [score for score in heard[-1].intents if not score.holds][:RUNNERS_UP]
            runners = ", ".join(f"{self._names.intent(score.intent_id)} {score.probability:.2f}" for score in others)
            table.add_row("last said", Text.assemble(intents_of(heard[-1], self._names), (f"  ({runners})", "dim")))
            table.add_row("feels", emotion_of(heard[-1].emotion, self._names))
            course = [self._names.emotion(analysis.emotion.emotion_id) for analysis in heard[-SHOWN_TURNS:]]
            table.add_row("course", f"{' → '.join(course)}  ({TRENDS[call.emotion_trend]})")
        advice = call.escalation
        table.add_row(
            "escalation", Text(f"▲ {reasons(advice)}", "bold red") if advice.advised else Text("not advised", "green")
        )
        return table


async def converse(connection: Connection, console: Console) -> None:
    """Holds a call with who sits at the terminal, or with lines from a pipe.

    Raises:
        BankaiError: The service cannot be reached or ended the call.
    """
    async with connection.channel() as channel:
        names = Names.of(await listed(channel, connection))
        view = View(names)
        async with open_call(channel, connection) as client:
            call = LiveCall(client)
            _draw(console, view)
            while text := await _read(console):
                line = parse_line(text) or Line(CALLER, text)
                try:
                    view.add(line, await call.say(line))
                except InvalidRequestError as error:
                    console.print(Text(error.message, "red"))
                else:
                    _draw(console, view)
            console.print(summary_of(await call.hang_up(), names))


def _draw(console: Console, view: View) -> None:
    if console.is_terminal:
        console.clear()
    console.print(view.render())


async def _read(console: Console) -> str:
    """The next line without the space around it; empty where the caller hangs up."""
    console.print(Text("you say (empty line hangs up): ", "bold"), end="")
    line: str = await asyncio.to_thread(sys.stdin.readline)
    return line.strip()
