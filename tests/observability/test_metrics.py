"""Rules and dashboards ask for what is exported, with the labels that it has."""

import re
import urllib.request
from pathlib import Path

import pytest

from bankai.inference.triton_server import TritonInstallation, TritonServer
from tests.bankai.inference import models
from tests.observability.exported import TRITON, exported
from tests.observability.files import Selector, dashboard_queries, grouped_by, recorded, rules, selectors, wrong

RULES = [(rule.get("alert", rule.get("record")), rule["expr"]) for rule in rules()]
QUERIES = list(dashboard_queries())


@pytest.fixture(scope="module")
def known() -> dict[str, frozenset[str]]:
    return exported(recorded())


@pytest.mark.parametrize(("name", "query"), RULES, ids=[f"{name}-{at}" for at, (name, _) in enumerate(RULES)])
def test_rules_use_what_is_exported(name: str, query: str, known: dict[str, frozenset[str]]) -> None:
    assert not wrong(query, known)


def test_dashboards_use_what_is_exported(known: dict[str, frozenset[str]]) -> None:
    problems = {(name, query): found for name, _, query in QUERIES if (found := wrong(query, known))}
    assert problems == {}
    assert len(QUERIES) > 60


def test_legends_use_labels_that_the_query_keeps(known: dict[str, frozenset[str]]) -> None:
    for name, legend, query in QUERIES:
        named = set(re.findall(r"\{\{(\w+)\}\}", legend))
        kept = grouped_by(query) if re.search(r"\bby\b", query) else known[selectors(query)[0].metric]
        assert named <= kept, (name, legend)


def test_the_alerts_texts_use_labels_that_their_query_keeps(known: dict[str, frozenset[str]]) -> None:
    for rule in rules():
        named = set(re.findall(r"\$labels\.(\w+)", str(rule.get("annotations"))))
        assert named <= frozenset().union(*(known[each.metric] for each in selectors(rule["expr"]))), rule


def test_what_is_wrong_is_found(known: dict[str, frozenset[str]]) -> None:
    query = (
        'sum by (chanel) (rate(bankai_calls_total{code!~"a{b}|c"}[5m])) / on (job) up{jobs="or"} and vector(1) > 0.5'
    )
    assert selectors(query) == [
        Selector("bankai_calls_total", frozenset({"code"})),
        Selector("up", frozenset({"jobs"})),
    ]
    assert wrong(query, known) == ["bankai_calls_total", "up{jobs}", "by chanel"]


@pytest.mark.slow
def test_triton_exports_what_we_know_of(tmp_path: Path) -> None:
    if not TritonInstallation().complete:
        pytest.skip("there is no Triton server: run `make triton`")
    models.double().write(tmp_path / "models", 1)
    with (
        TritonServer(tmp_path / "models", log=tmp_path / "log.txt") as server,
        urllib.request.urlopen(f"http://{server.metrics_url}/metrics") as answer,
    ):
        text = answer.read().decode()
    series = {
        name: set(re.findall(r'(\w+)="', labels)) for name, labels in re.findall(r"^(nv_\w+)\{(.*?)\} ", text, re.M)
    }
    assert {name: series.get(name) for name in TRITON} == {name: set(labels) for name, labels in TRITON.items()}
