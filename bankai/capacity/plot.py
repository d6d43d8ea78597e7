"""The picture of a day."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from bankai.capacity.cluster import Cluster
from bankai.capacity.day import Course, Moment

_COLOURS = {"gateway": "tab:blue", "intent": "tab:orange", "doc-extract": "tab:green", "triton": "tab:red"}


def plot_day(course: Course, cluster: Cluster, file: Path) -> None:
    """Draws calls, pods, how busy they are, and what waits, over the day.

    Args:
        course: The day.
        cluster: What the manifests say.
        file: Where to; its ending says in which format.
    """
    figure = Figure(figsize=(10, 9), layout="constrained")
    calls, pods, busy, waiting = figure.subplots(4, sharex=True)
    hours = [moment.hour for moment in course.moments]

    def draw(axes: Any, what: Callable[[Moment], float], label: str, colour: str, style: str = "-") -> None:
        axes.plot(hours, [what(moment) for moment in course.moments], style, label=label, color=colour)

    draw(calls, lambda moment: moment.calls, "calls at once", "black")
    for name, colour in _COLOURS.items():
        if name in course.moments[0].pods:
            draw(pods, lambda moment, name=name: moment.pods[name], f"{name} ({cluster[name].most} at most)", colour)  # type: ignore[misc]
    draw(busy, lambda moment: 100 * moment.busy, "busiest pod of intent, % of what it can do", "tab:orange")
    draw(waiting, lambda moment: moment.batch, "documents of the batch", "tab:green")
    draw(waiting, lambda moment: moment.sites, "sites of the satellite's pass", "tab:purple")
    draw(waiting, lambda moment: moment.documents, "documents that callers wait for", "tab:blue", "--")
    for axes, title in ((calls, "calls"), (pods, "pods that get work"), (busy, "%"), (waiting, "waiting")):
        axes.set_ylabel(title)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend(loc="upper left", fontsize="small")
    waiting.set_xlabel("hour of the day")
    waiting.set_xlim(0, 24)
    waiting.set_xticks(range(0, 25, 2))
    figure.savefig(file, dpi=90)
