"""A real Prometheus scrapes the running product by our configuration."""

import pytest

from tests.docs.pages import ROOT
from tests.observability.conftest import Product, Prometheus
from tests.observability.exported import PROCESSES, ours
from tests.observability.files import SLOS, alerts, dashboard_queries, recorded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


@pytest.fixture(scope="module")
def used(product: Product, prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Prometheus:
    """Prometheus, which has seen the product at work."""
    transcript = tmp_path_factory.mktemp("call") / "call.txt"
    transcript.write_text("agent: 您好\ncaller: 我卡丢了\ncaller: 我要人工\n", encoding="utf-8")
    product.bankai("call", transcript)
    product.bankai("extract", ROOT / "services" / "doc_extract" / "cli" / "samples" / "approval_notice.pdf")
    # Growth is seen only of what was scraped before: of the statuses of calls, which first calls bring into being.
    prometheus.wait_for(lambda: sum(prometheus.values("bankai_gateway_calls_total")) >= 2)
    product.bankai("call", transcript)
    prometheus.wait_for(lambda: prometheus.values('slo:burn_rate:5m{slo="gateway"}') == [0.0])
    return prometheus


def test_every_process_is_scraped(product: Product, prometheus: Prometheus) -> None:
    jobs = {target["labels"]["job"] for target in prometheus.ask("targets")["activeTargets"]}
    assert jobs == {*product.targets, "prometheus"}
    assert len(product.targets) == len(PROCESSES)


def test_every_rule_is_evaluated_without_an_error(used: Prometheus) -> None:
    rules = [rule for group in used.ask("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {*alerts(), *recorded()}
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []
    assert sum(used.values("prometheus_rule_evaluation_failures_total")) == 0


@pytest.mark.parametrize("slo", [slo for slo in SLOS if slo != "sites"])
def test_service_levels_have_values(used: Prometheus, slo: str) -> None:
    used.wait_for(lambda: sum(used.values(f'slo:events:1h{{slo="{slo}"}}')) > 0)  # rules come after scrapes
    for window in ("5m", "30m", "1h", "6h", "3d"):
        (burned,) = used.values(f'slo:burn_rate:{window}{{slo="{slo}"}}')
        assert not burned < 0  # no number where nothing came in the window


def test_the_series_of_service_levels_are_there_from_the_start(used: Prometheus) -> None:
    for work in ("final_segment", "document", "site"):
        assert used.values(f'bankai_work_total{{work="{work}",code="OK"}}')
    assert used.values('bankai_work_seconds_bucket{work="final_segment",le="0.06"}')


def test_no_cause_is_alerted_of_where_all_is_well(used: Prometheus) -> None:
    names = {each["labels"]["alertname"] for each in used.ask("alerts")["alerts"]}
    assert names <= {"ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly", "InferenceWaits"}  # a busy machine is slow


def test_dashboards_show_what_happened(used: Prometheus) -> None:
    shown = {
        (name, query): used.values(query.replace("$__rate_interval", "1m")) for name, _, query in dashboard_queries()
    }
    empty = [query for (name, query), values in shown.items() if name == "live_calls" and not values]
    assert [query for query in empty if "gateway_shed_total" not in query and "Classify" not in query] == []
    assert sum(1 for values in shown.values() if values) > len(shown) / 2


def test_what_modules_define_is_what_processes_export(used: Prometheus) -> None:
    scraped = {
        each["metric"]["__name__"] for each in used.ask("query", query='{job=~".+",job!="prometheus"}')["result"]
    }
    by_prometheus = {each for each in scraped if each.startswith(("scrape_", "ALERTS"))} | {"up", *recorded()}
    created = {each for each in scraped if each.endswith("_created")}
    assert scraped - by_prometheus - created <= ours().keys()
