"""`bankai capacity`: what a load needs, and a simulated day."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bankai.capacity.cluster import Cluster
    from bankai.capacity.day import Course

CallsOption = Annotated[int, typer.Option(min=1, help="Phone calls at once, at the peak.")]
PagesOption = Annotated[int, typer.Option(min=0, help="Pages of documents on a working day.")]
AreaOption = Annotated[int, typer.Option("--km2-per-week", min=0, help="Area of the sites seen in a week, in km².")]
FiguresOption = Annotated[
    Path | None, typer.Option(help="YAML file with your own figures; see bankai/capacity/figures.yaml for ours.")
]
ManifestsOption = Annotated[
    Path | None, typer.Option(help="An overlay, or a file made by `kubectl kustomize`; k8s/overlays/prod by default.")
]


def capacity() -> typer.Typer:
    """The commands below `bankai capacity`."""
    group = typer.Typer(no_args_is_help=True, help="What a load needs on Kubernetes. See docs/capacity.md.")
    group.command(name="plan")(plan)
    group.command(name="simulate")(simulate)
    return group


def plan(
    *,
    calls: CallsOption = 20_000,
    pages_per_day: PagesOption = 200_000,
    km2_per_week: AreaOption = 5_000,
    figures: FiguresOption = None,
    manifests: ManifestsOption = None,
    prices: Annotated[Path | None, typer.Option(help="YAML file with a year's prices; an example by default.")] = None,
) -> None:
    """Say how many pods, cores, GPUs, how much bandwidth, storage and money a load takes.

    Limits, resources and targets are read from the manifests. Exit code 1 where they do not allow as many pods.

    \b
    Examples:
      bankai capacity plan --calls 20000 --pages-per-day 200000 --km2-per-week 5000
      bankai capacity plan --calls 500 --prices ours.yaml --figures measured.yaml
    """
    from rich.table import Table

    from bankai.capacity.cluster import PROD, read_cluster
    from bankai.capacity.demand import Demand
    from bankai.capacity.figures import read_figures
    from bankai.capacity.prices import read_prices
    from bankai.capacity.sizing import plan as size
    from bankai.cli.report import screen

    cluster = read_cluster(manifests or PROD)
    needs = size(Demand(calls, pages_per_day, km2_per_week), read_figures(figures), cluster, read_prices(prices))
    table = Table("workload", "pods", "because of", "at most", "cores asked for", "cores used", "GiB", "GPUs")
    for pods in needs.pods:
        workload = pods.workload
        table.add_row(
            workload.name,
            str(pods.pods),
            pods.because,
            str(workload.most),
            f"{pods.pods * workload.cores:g}",
            f"{pods.busy:.1f}",
            f"{pods.pods * workload.memory_gib:g}",
            str(pods.pods * workload.gpus or "-"),
        )
    screen().print(table)
    for line in (
        f"GPUs' worth of work at the peak: {needs.gpu_share:.2f}",
        "Mbit/s at the peak: " + _listed(needs.mbit_per_s),
        "GiB kept after a year: " + _listed(needs.storage_gib),
        f"the audit log fills the gateways' claims in {needs.audit_days:.0f} days",
        f"a year's cost: {sum(needs.cost.values()):,.0f} ({_listed(needs.cost)})",
    ):
        sys.stdout.write(line + "\n")
    if short := [pods.workload.name for pods in needs.pods if not pods.enough]:
        sys.stderr.write(f"bankai: the manifests do not allow as many pods of {', '.join(short)}\n")
        raise typer.Exit(1)


def simulate(
    *,
    calls: CallsOption = 20_000,
    pages_per_day: PagesOption = 200_000,
    km2_per_week: AreaOption = 5_000,
    month_end: Annotated[float, typer.Option(min=0, help="How many times a usual day's pages come.")] = 3.0,
    outage: Annotated[
        float, typer.Option(min=0, help="Calls that an outage of the app adds at 20:00, as a share of the peak.")
    ] = 0.5,
    figures: FiguresOption = None,
    manifests: ManifestsOption = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the day into this PNG or SVG file.")] = None,
) -> None:
    """Let a national bank's day pass on the manifests: queues grow, and autoscaling answers.

    A month's last day: a satellite's pictures of a week are there at 11:30, a batch of loan files is handed in at
    17:00, and the bank's app fails at 20:00. Needs simpy, of the extra `dev`. Exit code 1 where anything was refused or
    was not done by midnight.

    \b
    Examples:
      bankai capacity simulate --calls 20000 --pages-per-day 200000 --km2-per-week 5000 --plot day.png
      bankai capacity simulate --calls 500 --manifests k8s/overlays/staging
    """
    from bankai.capacity.cluster import PROD, read_cluster
    from bankai.capacity.demand import Demand
    from bankai.capacity.figures import read_figures
    from bankai.capacity.profile import Day
    from bankai.errors import NotFoundError

    try:
        from bankai.capacity.day import simulate_day
    except ModuleNotFoundError as error:
        raise NotFoundError("SIMPY_MISSING", "simpy is not installed; it comes with `make setup-dev`") from error

    cluster = read_cluster(manifests or PROD)
    demand = Demand(calls, pages_per_day, km2_per_week)
    course = simulate_day(demand, read_figures(figures), cluster, Day(month_end=month_end, outage=outage))
    _tell(course, cluster)
    if plot is not None:
        from bankai.capacity.plot import plot_day

        plot_day(course, cluster, plot)
    if any(round(each.refused) for each in course.tallies.values()) or None in course.ended.values():
        raise typer.Exit(1)


def _tell(course: "Course", cluster: "Cluster") -> None:
    from rich.table import Table

    from bankai.cli.report import screen
    from bankai.evaluation.metrics import percentile

    work = Table("work", "arrived", "served", "refused", "still there at midnight")
    for name, tally in course.tallies.items():
        work.add_row(name, *(f"{value:,.0f}" for value in (tally.arrived, tally.served, tally.refused, tally.waiting)))
    screen().print(work)
    pods = Table("pods that get work", "fewest", "most", "at most")
    for name in course.moments[0].pods:
        numbers = [moment.pods[name] for moment in course.moments]
        pods.add_row(name, str(min(numbers)), str(max(numbers)), str(cluster[name].most))
    screen().print(pods)
    busiest = max(course.moments, key=lambda moment: moment.busy)
    said = [
        f"busiest pod of intent: {busiest.busy:.0%} of what it can do, at {_clock(busiest.hour)}",
        f"longest wait of a final segment for its turn: {max(each.wait_s for each in course.moments):.1f} s",
    ]
    if course.document_s:
        p50, p99 = (percentile(course.document_s, q) for q in (50, 99))
        said.append(f"a document that a caller waits for: p50 {p50:.1f} s, p99 {p99:.1f} s")
    for name, hour in sorted(course.ended.items()):
        said.append(f"{name} done: {'not by midnight' if hour is None else f'at {_clock(hour)}'}")
    sys.stdout.write("\n".join(said) + "\n")


def _clock(hour: float) -> str:
    minutes = int(hour * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _listed(amounts: "Mapping[str, float]") -> str:
    return ", ".join(f"{name} {amount:,.0f}" for name, amount in amounts.items())
