"""The report on which a drawdown can be decided: one HTML file that opens offline."""

import base64
import json
from html import escape
from importlib.resources import files
from string import Template

from bankai.client.progress import ProgressClient
from bankai.progress.v1 import progress_pb2 as pb
from services.progress_monitor.cli.dossier import Dossier
from services.progress_monitor.cli.plotting import plot_png
from services.progress_monitor.cli.tables import STAGES, alert_name, day, decision_name, facts, status_name

_LEGEND = (
    ("cleared", "#d69e5c"),
    ("foundation", "#f0dc46"),
    ("structure", "#f58220"),
    ("roofed", "#d62839"),
    ("paved", "#6c74be"),
    ("hidden by cloud, shadow or snow", "#ebebeb"),
)


async def report_html(client: ProgressClient, dossier: Dossier) -> str:
    """The report.

    Args:
        client: To ask for the pictures.
        dossier: The project.

    Raises:
        BankaiError: The service cannot be reached.
    """
    project_id = dossier.project.project_id
    shown = dossier.used
    pictures = {"before": "", "after": "", "overlay": ""}
    segments = "[]"
    if shown:
        last = shown[-1].observation.observation_id
        for name, kind in (
            ("before", pb.EVIDENCE_KIND_BEFORE_PNG),
            ("after", pb.EVIDENCE_KIND_AFTER_PNG),
            ("overlay", pb.EVIDENCE_KIND_OVERLAY_PNG),
        ):
            pictures[name] = _embedded(await client.evidence(project_id, kind, last))
        segments = (await client.evidence(project_id, pb.EVIDENCE_KIND_SEGMENTS_GEOJSON, last)).decode()
    template = Template((files("services.progress_monitor.cli") / "report.html").read_text(encoding="utf-8"))
    latest = dossier.timeline.latest
    return template.substitute(
        title=escape(dossier.project.name or project_id),
        project_id=escape(project_id),
        area=f"{dossier.project.area_m2 / 1e4:,.1f}",
        as_of=day(latest, "as_of"),
        model=escape(latest.model_version),
        first=day(shown[0].observation, "acquire_time") if shown else "-",
        last=day(shown[-1].observation, "acquire_time") if shown else "-",
        decisions=_decisions(dossier),
        facts=_rows(facts(latest)),
        alerts=_alerts(dossier),
        curve=_embedded(plot_png(dossier)),
        legend="".join(f'<span><i style="background:{colour}"></i>{name}</span>' for name, colour in _LEGEND),
        buildings=_buildings(segments),
        course=_course(dossier),
        **pictures,
    )


def _embedded(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _rows(rows: list[tuple[str, str]]) -> str:
    return "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)


def _decisions(dossier: Dossier) -> str:
    if not dossier.checks:
        return "<p>The project has no drawdowns.</p>"
    cards = []
    for drawdown, check in dossier.checks:
        decision = decision_name(check)
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in check.reasons)
        cards.append(
            f'<div class="card {decision.split()[0].lower()}"><b>{escape(drawdown.drawdown_id)}</b>'
            f"<em>{decision}</em><small>due {day(drawdown, 'time')}, requires {drawdown.required_progress:.0%}</small>"
            f"<ul>{reasons}</ul></div>"
        )
    return "".join(cards)


def _alerts(dossier: Dossier) -> str:
    found = dossier.timeline.latest.alerts
    if not found:
        return "<p>None.</p>"
    items = (
        f"<li><b>{escape(alert_name(each))}</b> since {day(each, 'since')}: {escape(each.message)} "
        f"<small>({len(each.observation_ids)} pictures)</small></li>"
        for each in found
    )
    return f"<ul>{''.join(items)}</ul>"


def _buildings(segments: str) -> str:
    features = json.loads(segments).get("features", []) if segments != "[]" else []
    rows = "".join(
        f"<tr><td>{each['id']}</td><td>{escape(each['properties']['surface'])}</td>"
        f"<td>{each['properties']['area_m2']:,}</td><td>{escape(each['properties']['first_seen'])}</td></tr>"
        for each in features
    )
    return rows or '<tr><td colspan="4">none seen</td></tr>'


def _course(dossier: Dossier) -> str:
    rows = []
    for point in dossier.timeline.points:
        seen = point.observation
        counts = seen.status == pb.OBSERVATION_STATUS_USED
        progress = f"{point.progress:.0%} ({point.progress_low:.0%} to {point.progress_high:.0%})" if counts else "-"
        rows.append(
            f"<tr><td>{day(seen, 'acquire_time')}</td><td>{status_name(seen)}</td><td>{seen.usable_share:.0%}</td>"
            f"<td>{STAGES[point.stage] if counts else '-'}</td><td>{progress}</td>"
            f"<td>{escape(seen.reason)}</td><td><code>{seen.sha256[:12]}</code></td></tr>"
        )
    return "".join(rows)
