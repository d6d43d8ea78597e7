import json
from pathlib import Path

import pytest

from bankai.settings import describe, load
from gateway.settings import GatewaySettings
from tests.gateway.conftest import policy_beside

INTENT = "bankai.intent.v1.IntentService"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, key_file: tuple[Path, str]) -> pytest.MonkeyPatch:
    monkeypatch.setenv("BANKAI_GATEWAY_KEYS_FILE", str(key_file[0]))
    monkeypatch.setenv("BANKAI_GATEWAY_POLICY_FILE", str(policy_beside(key_file[0])))
    return monkeypatch


def problem(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        load(GatewaySettings)
    assert caught.value.code == 2
    return capsys.readouterr().err


def stable_targets(settings: GatewaySettings) -> dict[str, str]:
    return {service: route.releases["stable"] for service, route in settings.route_table().items()}


@pytest.mark.parametrize(
    "target",
    [
        "127.0.0.1:50061",
        "intent:50061",
        "dns:///intent.bankai.svc:50061",
        "dns://10.0.0.10/intent:50061",
        "ipv4:127.0.0.1:50061,127.0.0.1:50062",
        "ipv6:[::1]:50061",
        "unix:/run/bankai/intent.sock",
    ],
)
def test_routes_from_the_environment(environment: pytest.MonkeyPatch, target: str) -> None:
    environment.setenv("BANKAI_GATEWAY_ROUTES", json.dumps({INTENT: target}))
    environment.setenv("BANKAI_GATEWAY_SERVER__LISTEN", "0.0.0.0:443")
    settings = load(GatewaySettings)
    assert stable_targets(settings) == {INTENT: target}
    assert settings.server.listen == "0.0.0.0:443"


def test_routes_from_a_file_and_the_environment(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(f"{INTENT}: dns:///intent:50061\nbankai.progress.v1.ProgressService: dns:///progress:50063\n")
    environment.setenv("BANKAI_GATEWAY_ROUTES_FILE", str(file))
    environment.setenv("BANKAI_GATEWAY_ROUTES", json.dumps({INTENT: "127.0.0.1:1"}))
    assert stable_targets(load(GatewaySettings)) == {
        INTENT: "127.0.0.1:1",
        "bankai.progress.v1.ProgressService": "dns:///progress:50063",
    }


@pytest.mark.parametrize(
    "routes",
    [
        {INTENT: "intent"},
        {INTENT: ""},
        {INTENT: "http://intent:50061"},
        {INTENT: "intent :50061"},
        {"IntentService": "intent:50061"},
        {"/bankai.Intent": "intent:50061"},
    ],
)
def test_a_wrong_route_stops_the_start(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], routes: dict[str, str]
) -> None:
    environment.setenv("BANKAI_GATEWAY_ROUTES", json.dumps(routes))
    assert "BANKAI_GATEWAY_ROUTES" in problem(capsys)


@pytest.mark.parametrize("content", ["[1]", "a: {", f"{INTENT}: 5", ""])
def test_a_wrong_routes_file_stops_the_start(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str
) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(content)
    environment.setenv("BANKAI_GATEWAY_ROUTES_FILE", str(file))
    assert "BANKAI_GATEWAY_ROUTES_FILE" in problem(capsys)


def test_a_gateway_without_routes_does_not_start(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "must name a service" in problem(capsys)


def test_a_gateway_without_a_policy_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BANKAI_GATEWAY_ROUTES", json.dumps({INTENT: "127.0.0.1:1"}))
    assert "BANKAI_GATEWAY_POLICY_FILE" in problem(capsys)


def test_a_gateway_that_nobody_could_call_does_not_start(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("BANKAI_GATEWAY_ROUTES", json.dumps({INTENT: "127.0.0.1:1"}))
    environment.delenv("BANKAI_GATEWAY_KEYS_FILE")
    assert "nobody can call" in problem(capsys)


def test_a_wrong_policy_stops_the_start_with_its_line(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("channels:\n  ivr:\n    priority: urgent\n")
    environment.setenv("BANKAI_GATEWAY_POLICY_FILE", str(file))
    said = problem(capsys)
    assert "BANKAI_GATEWAY_POLICY_FILE" in said
    assert "policy.yaml:3: channels.ivr.priority" in said


def test_a_wrong_keys_file_stops_the_start(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    environment.setenv("BANKAI_GATEWAY_ROUTES", json.dumps({INTENT: "127.0.0.1:1"}))
    environment.setenv("BANKAI_GATEWAY_KEYS_FILE", str(tmp_path / "none.yaml"))
    assert "BANKAI_GATEWAY_KEYS_FILE" in problem(capsys)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [({"cert": "x"}, "together"), ({"ca": "none.pem"}, "no file"), ({"cert": "x", "key": "x"}, "ca")],
)
def test_half_a_tls_setting_stops_the_start(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: dict[str, str], wrong: str
) -> None:
    environment.setenv("BANKAI_GATEWAY_ROUTES", json.dumps({INTENT: "127.0.0.1:1"}))
    environment.setenv("BANKAI_GATEWAY_BACKEND", json.dumps(given))
    said = problem(capsys)
    assert "BANKAI_GATEWAY_BACKEND" in said
    assert wrong in said


def test_what_is_logged_at_start_holds_no_key(environment: pytest.MonkeyPatch, key_file: tuple[Path, str]) -> None:
    environment.setenv("BANKAI_GATEWAY_ROUTES", json.dumps({INTENT: "127.0.0.1:1"}))
    assert key_file[1] not in str(describe(load(GatewaySettings)))
