"""Tables of states and courses for people."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bankai.progress.v1 import progress_pb2 as pb

STAGES = {
    pb.STAGE_UNSPECIFIED: "-",
    pb.STAGE_NOT_STARTED: "not started 未开工",
    pb.STAGE_CLEARING: "clearing 场地平整",
    pb.STAGE_FOUNDATION: "foundation 基础施工",
    pb.STAGE_STRUCTURE: "structure 主体施工",
    pb.STAGE_ENVELOPE: "envelope 封顶围护",
    pb.STAGE_COMPLETE: "complete 竣工",
}
"""Stages in English and Chinese."""
_DECISION_COLOURS = {
    pb.DRAWDOWN_DECISION_PASS: "green",
    pb.DRAWDOWN_DECISION_HOLD: "red",
    pb.DRAWDOWN_DECISION_NO_EVIDENCE: "yellow",
}


def day(message: object, field: str) -> str:
    """A time of a message as a date; a dash where it is not set."""
    if not message.HasField(field):  # type: ignore[attr-defined]  # any message
        return "-"
    return str(getattr(message, field).ToDatetime().date())


def status_name(observation: pb.Observation) -> str:
    """What became of a picture, in words."""
    name = pb.ObservationStatus.Name(observation.status)
    return name.removeprefix("OBSERVATION_STATUS_").replace("_", " ").lower()


def alert_name(alert: pb.Alert) -> str:
    """An alert's id of the taxonomy."""
    return pb.AlertKind.Name(alert.kind).removeprefix("ALERT_KIND_").lower()


def decision_name(check: pb.CheckDrawdownResponse) -> str:
    """A decision in words."""
    return pb.DrawdownDecision.Name(check.decision).removeprefix("DRAWDOWN_DECISION_").replace("_", " ")


def facts(found: pb.Assessment) -> list[tuple[str, str]]:
    """How far a project is, as names and values."""
    rows = [
        ("stage", STAGES[found.stage]),
        ("progress", f"{found.progress:.0%} (80 % interval {found.progress_low:.0%} to {found.progress_high:.0%})"),
        ("work began", f"between {day(found, 'not_started_until')} and {day(found, 'started_by')}"),
        ("speed", f"{found.speed_per_month:.1%} a month"),
        ("done by", day(found, "finish_estimate")),
    ]
    if found.HasField("planned_progress"):
        days = f", {found.variance_days:+.0f} days" if found.HasField("variance_days") else ""
        rows.append(("plan", f"{found.planned_progress:.0%} planned: {found.variance_points * 100:+.0f} points{days}"))
    used = f"{found.observations_used} of {found.observations} count, the last of {day(found, 'last_used_time')}"
    rows.append(("pictures", used))
    return rows


def show_state(
    found: pb.Assessment, checks: Sequence[tuple[pb.Drawdown, pb.CheckDrawdownResponse]], console: Console
) -> None:
    """Prints how far a project is, what is wrong, and what to do about its drawdowns."""
    table = Table(show_header=False)
    for name, value in facts(found):
        table.add_row(name, value)
    for alert in found.alerts:
        table.add_row("[red]alert[/red]", f"{alert_name(alert)}: {alert.message}")
    for drawdown, check in checks:
        colour = _DECISION_COLOURS.get(check.decision, "white")
        reasons = "; ".join(check.reasons)
        table.add_row(f"drawdown {drawdown.drawdown_id}", f"[{colour}]{decision_name(check)}[/{colour}]: {reasons}")
    console.print(table)


def show_course(timeline: pb.GetTimelineResponse, console: Console) -> None:
    """Prints a course date by date."""
    table = Table("date", "picture", "site seen", "stage", "progress", "80 % interval", "shift px")
    for column in table.columns[2:3] + table.columns[4:]:
        column.justify = "right"
    for point in timeline.points:
        seen = point.observation
        shift = (seen.registration.shift_x_px**2 + seen.registration.shift_y_px**2) ** 0.5
        counts = seen.status == pb.OBSERVATION_STATUS_USED
        table.add_row(
            day(seen, "acquire_time"),
            status_name(seen),
            f"{seen.usable_share:.0%}",
            STAGES[point.stage],
            f"{point.progress:.0%}" if counts else "-",
            f"{point.progress_low:.0%} to {point.progress_high:.0%}" if counts else "-",
            f"{shift:.2f}",
        )
    console.print(table)
