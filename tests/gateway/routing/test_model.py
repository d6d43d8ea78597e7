from pathlib import Path
from typing import Any

import pytest

from bankai.validation import first_problem
from gateway.routing.model import ROUTES, Route
from gateway.settings import read_routes

INTENT = "bankai.intent.v1.IntentService"
TWO = {"stable": "dns:///intent:50061", "canary": "dns:///intent-canary:50061"}


def test_a_target_is_a_route_whose_stable_release_it_is() -> None:
    (route,) = ROUTES.validate_python({INTENT: "dns:///intent:50061"}).values()
    assert route == Route(releases={"stable": "dns:///intent:50061"})


def test_everything_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(f"""
{INTENT}:
  releases: {{stable: "dns:///intent:50061", canary: "dns:///intent-canary:50061"}}
  methods:
    Classify: {{deadline_s: 2, max_deadline_s: 10, hedge_after_s: 0.05}}
    "*": {{deadline_s: 5, max_deadline_s: 30}}
  canary: {{release: canary, percent: 5, channels: {{ivr: 0}}, min_calls: 200}}
  shadow: {{release: canary, percent: 1}}
  pinned: {{core-banking: stable}}
  breaker: {{min_calls: 50}}
  concurrency: {{max_calls: 200, max_streams: 500}}
""")
    route = read_routes(file)[INTENT]
    assert route.rules("Classify").hedge_after_s == 0.05
    assert route.rules("Classify").max_deadline_s == 10
    assert route.rules("ListIntents").deadline_s == 5
    assert route.canary is not None
    assert route.canary.channels == {"ivr": 0}
    assert route.breaker.failure_share == 0.5


def test_a_method_s_own_rules_go_before_those_of_all() -> None:
    route = Route.model_validate(
        {"releases": TWO, "methods": {"*": {"deadline_s": 5, "hedge_after_s": 1}, "Classify": {"deadline_s": 2}}}
    )
    assert route.rules("Classify").deadline_s == 2
    assert route.rules("Classify").hedge_after_s == 1
    assert route.rules("Other").deadline_s == 5


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"releases": {"canary": "a:1"}}, "releases must name the release stable"),
        ({"releases": {"stable": "nowhere"}}, "releases.stable: must be a gRPC target"),
        ({"releases": TWO, "pinned": {"ivr": "blue"}}, "pinned.ivr: releases has no blue"),
        ({"releases": TWO, "pinned": {"IVR": "stable"}}, "pinned.IVR"),
        ({"releases": TWO, "canary": {"release": "blue"}}, "canary: releases has no blue"),
        ({"releases": TWO, "canary": {"release": "stable"}}, "canary: stable is no release on trial"),
        ({"releases": TWO, "canary": {"release": "canary", "percent": 101}}, "canary.percent"),
        ({"releases": TWO, "shadow": {"release": "blue", "percent": 1}}, "shadow: releases has no blue"),
        ({"releases": TWO, "methods": {"Classify": {"deadline_s": 0}}}, "methods.Classify.deadline_s"),
        ({"releases": TWO, "methods": {"a/b": {}}}, "methods.a/b"),
        ({"releases": TWO, "methods": {"Classify": {"deadline_s": 3, "max_deadline_s": 2}}}, "methods.Classify"),
        ({"releases": TWO, "methods": {"*": {"max_deadline_s": 2}, "Classify": {"deadline_s": 3}}}, "longer"),
        ({"releases": TWO, "weights": {}}, "weights"),
        (5, INTENT),
    ],
)
def test_what_is_wrong_is_told_with_its_place(wrong: Any, told: str) -> None:
    with pytest.raises(ValueError, match=INTENT) as caught:
        ROUTES.validate_python({INTENT: wrong})
    problem = first_problem(caught.value)  # type: ignore[arg-type]  # pydantic's is a ValueError
    assert problem.startswith(INTENT)
    assert told in problem
