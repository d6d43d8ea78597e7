"""The dashboards are what Grafana imports, and what `tools.dashboards` writes."""

import json
from pathlib import Path

import pytest

from tests.observability.files import DASHBOARD_FILES
from tools.dashboards import DASHBOARDS, FOLDER, as_json


def test_the_files_are_those_of_the_tool() -> None:
    assert {file.stem for file in DASHBOARD_FILES} == {each.name for each in DASHBOARDS}
    for each in DASHBOARDS:
        written = (FOLDER / f"{each.name}.json").read_text(encoding="utf-8")
        assert written == as_json(each), "run `python -m tools.dashboards`"


@pytest.mark.parametrize("file", DASHBOARD_FILES, ids=lambda file: file.stem)
def test_a_dashboard_is_whole(file: Path) -> None:
    dashboard = json.loads(file.read_text(encoding="utf-8"))
    assert isinstance(dashboard["schemaVersion"], int)
    assert 0 < len(dashboard["uid"]) <= 40  # Grafana's limit
    (variable,) = dashboard["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["type"] == "timeseries"
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert target["expr"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        tiles = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + 8)}
        assert not tiles & taken
        taken |= tiles


def test_each_has_an_id_and_a_title_of_its_own() -> None:
    told = [json.loads(file.read_text(encoding="utf-8")) for file in DASHBOARD_FILES]
    for field in ("uid", "title"):
        assert len({each[field] for each in told}) == len(told)
