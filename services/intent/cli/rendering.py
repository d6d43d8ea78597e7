"""How an analysed call looks on a terminal."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from bankai.intent.v1 import intent_pb2 as pb
from services.intent.cli.names import EMOTION_STYLES, Names, reason, reasons
from services.intent.cli.transcript import Line
from services.intent.evaluation.gold import CALLER

BAR_CELLS = 5
INDENT = 8


def line_of(line: Line, answer: pb.SegmentAnalysis, names: Names, advised_before: frozenset[int]) -> Iterator[Text]:
    """A turn with what was understood of it: the words, and below a caller's words the analysis.

    Args:
        line: The turn.
        answer: What the service said of it.
        names: Names of the labels.
        advised_before: Reasons for escalation that were shown already.
    """
    by_caller = line.speaker == CALLER
    yield Text.assemble(
        (f"{line.speaker:{INDENT}}", "bold" if by_caller else "dim"), (line.text, "" if by_caller else "dim")
    )
    if by_caller:
        yield Text.assemble(
            " " * INDENT, intents_of(answer.analysis, names), "  ", emotion_of(answer.analysis.emotion, names)
        )
    if answer.call.escalation.advised and set(answer.call.escalation.reasons) - advised_before:
        yield Text(f"{'':{INDENT}}▲ escalate: {reasons(answer.call.escalation)}", "bold red")


def intents_of(analysis: pb.UtteranceAnalysis, names: Names) -> Text:
    """The intents that hold, with their probabilities."""
    holding = [score for score in analysis.intents if score.holds] or list(analysis.intents[:1])
    parts = [f"{names.intent(score.intent_id)} {score.probability:.2f}" for score in holding]
    return Text(" + ".join(parts), "bold blue")


def emotion_of(emotion: pb.EmotionEstimate, names: Names) -> Text:
    """The emotion with its intensity as a bar and a number."""
    filled = round(emotion.intensity * BAR_CELLS)
    bar = "█" * filled + "░" * (BAR_CELLS - filled)
    style = EMOTION_STYLES.get(emotion.emotion_id, "")
    return Text(f"{names.emotion(emotion.emotion_id)} {bar} {emotion.intensity:.2f}", style)


def summary_of(summary: pb.CallSummary, names: Names) -> Table:
    """The review of a whole call."""
    table = Table(title="Summary of the call", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_row("about", names.intent(summary.main_intent_id))
    mentioned = [
        f"{names.intent(each.intent_id)} ({each.mentions}x, from {each.first_segment_id})" for each in summary.intents
    ]
    table.add_row("intents, in order", "\n".join(mentioned) or "-")
    table.add_row("left open", ", ".join(map(names.intent, summary.open_intent_ids)) or "-")
    table.add_row("emotional course", course_of(summary, names))
    points = [f"at {point.segment_id}: {reason(point.reason)}" for point in summary.escalations]
    table.add_row("escalation", Text("\n".join(points), "bold red") if points else "-")
    table.add_row("talk share", f"caller {summary.talk_share.caller:.0%}, agent {summary.talk_share.agent:.0%}")
    table.add_row("model", f"{summary.model.name} {summary.model.version}")
    return table


def course_of(summary: pb.CallSummary, names: Names) -> Text:
    """The caller's emotion at every segment, runs of the same one joined."""
    course = Text()
    previous = ""
    for point in summary.emotional_course:
        if point.emotion_id != previous:
            course.append(" → " if previous else "")
            course.append(names.emotion(point.emotion_id), EMOTION_STYLES.get(point.emotion_id, ""))
            previous = point.emotion_id
    return course
