"""The rules, by Prometheus's own tool; each alert is tested both ways and has its page."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import ROOT
from tests.observability.files import PROMETHEUS, RULE_FILES, RUNBOOKS, SLOS, TEST_FILES, alerts, recorded
from tools.prometheus_setup import program


@pytest.fixture(scope="module")
def promtool() -> Path:
    found = program("promtool")
    if found is None:
        pytest.skip("there is no promtool: run `make prometheus`")
    return found


def run(*command: Path | str) -> str:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=100, check=False, cwd=PROMETHEUS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_finds_the_configuration_and_the_rules_good(promtool: Path) -> None:
    assert "is valid prometheus config file" in run(promtool, "check", "config", "--lint-fatal", "prometheus.yaml")
    assert run(promtool, "check", "rules", "--lint-fatal", *RULE_FILES).count("SUCCESS") == len(RULE_FILES)


@pytest.mark.slow
@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.stem)
def test_alerts_fire_and_keep_still_as_they_should(promtool: Path, file: Path) -> None:
    assert "SUCCESS" in run(promtool, "test", "rules", file)


def _tested() -> list[dict[str, Any]]:
    tests = [each for file in TEST_FILES for each in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]]
    return [case for each in tests for case in each.get("alert_rule_test", ())]


@pytest.mark.parametrize("alert", alerts())
def test_each_alert_is_tested_both_ways(alert: str) -> None:
    fires = {bool(case["exp_alerts"]) for case in _tested() if case["alertname"] == alert}
    assert fires == {True, False}


def _pages(rule: dict[str, Any]) -> list[str]:
    """The pages that an alert's link may lead to."""
    link = rule["annotations"]["runbook"]
    return [link.replace("{{ $labels.slo }}", slo) for slo in SLOS] if "{{" in link else [link]


def test_each_alert_has_a_page_and_each_page_an_alert() -> None:
    linked = {ROOT / page for rule in alerts().values() for page in _pages(rule)}
    assert linked == set(RUNBOOKS)


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_a_page_says_what_it_means_how_to_see_it_and_what_to_do(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["What it means", "How to see it", "What to do"]
    assert re.search(r"^```sh\n", text, re.MULTILINE)


def test_each_alert_says_how_urgent_it_is() -> None:
    assert {rule["labels"]["severity"] for rule in alerts().values()} == {"ticket", "page"}


def test_every_service_level_has_its_budget_and_its_dashboard() -> None:
    text = (PROMETHEUS / "rules" / "slo.yaml").read_text(encoding="utf-8")
    for record in ("slo:bad:rate5m", "slo:total:rate5m", "slo:budget:ratio"):
        assert recorded()[record] == {"slo"}
    assert set(re.findall(r"labels: \{slo: (\w+)\}", text)) == set(SLOS)
    dashboards = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "observability" / "grafana").glob("*"))
    assert all(json.dumps(f'slo="{slo}"')[1:-1] in dashboards for slo in SLOS)
