"""What is in observability/: rules, and the queries of rules and dashboards."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tests.docs.pages import ROOT

PROMETHEUS = ROOT / "observability" / "prometheus"
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yaml"))
TEST_FILES = sorted((PROMETHEUS / "tests").glob("*.yaml"))
DASHBOARD_FILES = sorted((ROOT / "observability" / "grafana").glob("*.json"))
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
SLOS = ("gateway", "live_calls", "documents", "sites")

_KEYWORDS = {"and", "or", "unless", "offset", "bool", "inf", "nan"}
_STRING = re.compile(r"""(["'])(?:[^\\]|\\.)*?\1""")
# Possessive, lest a function's name without its last letter look like a series.
_SELECTOR = re.compile(r"(?<![\w:$.])([a-zA-Z_:][\w:]*+)(\{[^}]*\})?+(?!\s*\()")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_LABEL = re.compile(r"(\w+)\s*[=!]")


@dataclass(frozen=True)
class Selector:
    """A series that a query names, and the labels that it asks for."""

    metric: str
    labels: frozenset[str]


def selectors(query: str) -> list[Selector]:
    """The series of a query. By regular expressions: promtool knows whether it is PromQL at all."""
    bare = re.sub(r"\[[^\]]*\]", "", _GROUPING.sub("", _STRING.sub("", query)))
    found = [(match[1], frozenset(_LABEL.findall(match[2] or ""))) for match in _SELECTOR.finditer(bare)]
    return [Selector(name, labels) for name, labels in found if name not in _KEYWORDS]


def grouped_by(query: str) -> set[str]:
    """The labels by which a query groups or joins."""
    return {label.strip() for labels in _GROUPING.findall(query) for label in labels.split(",") if label.strip()}


def wrong(query: str, known: Mapping[str, frozenset[str]]) -> Sequence[str]:
    """What a query asks for that there is not.

    Args:
        query: The query.
        known: The labels of each series that there is.
    """
    asked = selectors(query)
    missing = [each.metric for each in asked if each.metric not in known]
    there = [each for each in asked if each.metric in known]
    odd = [f"{each.metric}{{{label}}}" for each in there for label in each.labels - known[each.metric]]
    all_labels = frozenset[str]().union(*(known[each.metric] for each in there))
    return [*missing, *odd, *(f"by {label}" for label in grouped_by(query) - all_labels)]


def rules() -> Iterator[dict[str, Any]]:
    """Every rule, of all files."""
    for file in RULE_FILES:
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


def alerts() -> dict[str, dict[str, Any]]:
    """Every alert by its name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded() -> dict[str, frozenset[str]]:
    """Every series that rules record; all are of service levels."""
    return {rule["record"]: frozenset({"slo"}) for rule in rules() if "record" in rule}


def dashboard_queries() -> Iterator[tuple[str, str, str]]:
    """Every query of every dashboard: (dashboard, legend, query)."""
    for file in DASHBOARD_FILES:
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                yield file.stem, target["legendFormat"], target["expr"]
