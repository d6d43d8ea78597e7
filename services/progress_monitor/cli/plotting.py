"""The course of a project as a curve: planned and observed with its interval, drawdowns and alerts marked."""

import io
from datetime import UTC

import matplotlib as mpl
import plotext
from google.protobuf.timestamp_pb2 import Timestamp
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from services.progress_monitor.cli.dossier import Dossier
from services.progress_monitor.cli.tables import alert_name

mpl.use("Agg")

_HEIGHT = 18
_COLOURS = {"observed": "#0b6e4f", "planned": "#8a8f98", "required": "#1f4e9c", "alert": "#c1121f"}


def plot_png(dossier: Dossier) -> bytes:
    """The curve as a PNG file."""
    figure = Figure(figsize=(10, 4.6), layout="constrained", dpi=130)
    axes = figure.subplots()
    plan = dossier.timeline.plan
    if plan:
        times, values = [_moment(point.time) for point in plan], [point.progress * 100 for point in plan]
        axes.plot(times, values, "--", color=_COLOURS["planned"], label="planned")
    used = dossier.used
    times = [_moment(point.observation.acquire_time) for point in used]
    low, high = [point.progress_low * 100 for point in used], [point.progress_high * 100 for point in used]
    axes.fill_between(times, low, high, color=_COLOURS["observed"], alpha=0.18, label="80 % interval", linewidth=0)
    observed = [point.progress * 100 for point in used]
    axes.plot(times, observed, "o-", color=_COLOURS["observed"], markersize=4, label="observed")
    for number, drawdown in enumerate(dossier.project.drawdowns):
        at, required = _moment(drawdown.time), drawdown.required_progress * 100
        label = "required by drawdown" if number == 0 else None
        axes.plot([at], [required], "D", color=_COLOURS["required"], label=label)
        axes.annotate(drawdown.drawdown_id, (at, required), textcoords="offset points", xytext=(6, -10), fontsize=8)
    for alert in dossier.timeline.latest.alerts:
        axes.axvline(_moment(alert.since), color=_COLOURS["alert"], linewidth=1, linestyle=":")
        axes.annotate(
            alert_name(alert),
            (_moment(alert.since), 101),
            rotation=90,
            fontsize=7,
            color=_COLOURS["alert"],
            va="top",
            ha="right",
        )
    axes.xaxis_date()
    axes.set_ylim(0, 103)
    axes.set_ylabel("progress, %")
    axes.grid(visible=True, alpha=0.25)
    axes.legend(loc="lower right", fontsize=8)
    axes.set_title(dossier.project.name or dossier.project.project_id)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def terminal_plot(dossier: Dossier, width: int) -> str:
    """The curve in characters.

    Args:
        dossier: The project.
        width: Columns.
    """
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, _HEIGHT)
    plotext.date_form("Y-m-d")
    if dossier.timeline.plan:
        plan = dossier.timeline.plan
        days, values = [_day(point.time) for point in plan], [point.progress * 100 for point in plan]
        plotext.plot(days, values, label="planned", marker="dot")
    used = dossier.used
    if used:
        days = [_day(point.observation.acquire_time) for point in used]
        plotext.plot(days, [point.progress * 100 for point in used], label="observed, %", marker="braille")
        plotext.scatter(days, [point.progress_low * 100 for point in used], label="80 % interval", marker="-")
        plotext.scatter(days, [point.progress_high * 100 for point in used], marker="-")
    plotext.ylim(0, 100)
    return str(plotext.uncolorize(plotext.build()))


def _moment(stamp: Timestamp) -> float:
    """A time as matplotlib counts it."""
    return float(date2num(stamp.ToDatetime(tzinfo=UTC)))  # type: ignore[no-untyped-call]  # matplotlib


def _day(stamp: Timestamp) -> str:
    return stamp.ToDatetime(tzinfo=UTC).strftime("%Y-%m-%d")
