"""docs/observability.md and the runbooks say what is there."""

import re
import shlex
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, code, rows
from tests.observability.exported import exported, ours
from tests.observability.files import RUNBOOKS, alerts, recorded, wrong

PAGE = "docs/observability.md"
PROGRAMS = {"bankai", "curl", "df", "openssl", "promtool", "redis-cli"}


def test_the_table_of_metrics_is_complete() -> None:
    told: dict[str, set[str]] = {}
    for metrics, labels, *_ in (row for row in rows(PAGE) if len(row) == 4):
        names = re.findall(r"`((?:grpc|bankai|gateway)_\w+)`", metrics)
        more = {"grpc_service", "grpc_method", "grpc_type"} if labels.startswith("the same") else set()
        told |= {name: set(re.findall(r"`(\w+)`", labels)) | more for name in names}
    there: dict[str, set[str]] = {}
    for series, labels_of in ours().items():
        if re.match(r"(?:grpc|bankai|gateway)_", series) and not series.endswith(("_bucket", "_sum")):
            there[series.removesuffix("_count")] = set(labels_of)
    assert told == there


def test_the_table_of_causes_is_complete() -> None:
    told = {
        match[1]: (row[1], set(re.findall(r"for (\d+) min", row[2])))
        for row in rows(PAGE)
        if (match := re.match(r"\[(\w+)\]\(runbooks/", row[0]))
    }
    there = {
        name: (rule["labels"]["severity"], set(re.findall(r"(\d+)m", rule.get("for", ""))))
        for name, rule in alerts().items()
        if not name.startswith("ErrorBudget")
    }
    assert told == there


def test_the_table_of_burn_rates_is_that_of_the_rules() -> None:
    told = {
        (row[0].strip("`"), row[1], row[2], *re.findall(r"(\d+) (h|min|d)", row[3]))
        for row in rows(PAGE)
        if row[0].startswith("`ErrorBudget")
    }
    units = {"m": "min", "h": "h", "d": "d"}
    there = {
        (name, rule["labels"]["severity"], rate, (long[:-1], units[long[-1]]), (short[:-1], units[short[-1]]))
        for name, rule in alerts().items()
        for long, rate, short in re.findall(
            r"slo:burn_rate:(\w+) > ([\d.]+) and slo:burn_rate:(\w+) > \2", rule["expr"]
        )
    }
    assert told == there
    assert len(there) == 3


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_what_a_runbook_runs_exists_and_asks_for_what_there_is(page: Path) -> None:
    known = exported(recorded())
    block = re.search(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert block is not None
    for line in block[1].splitlines():
        words = shlex.split(line)
        assert words[0] in PROGRAMS, line
        if words[0] == "promtool":
            assert words[1:4] == ["query", "instant", "http://127.0.0.1:9090"]
            assert not wrong(words[4], known), line


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_reasons_and_log_lines_of_a_runbook_are_in_the_code(page: Path) -> None:
    source = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("bankai", "gateway", "services")
        for file in (ROOT / folder).rglob("*.py")
    )
    spans = set(code(page))
    reasons = {span for span in spans if re.fullmatch(r"(?!BANKAI)[A-Z]+(?:_[A-Z]+)+", span)}
    said = {span for span in spans if re.fullmatch(r"[a-z]+(?: [a-z;]+){2,}", span) and not span.startswith("bankai ")}
    assert [each for each in sorted(reasons | said) if f'"{each}"' not in source] == []
