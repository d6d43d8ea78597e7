from pathlib import Path

import pytest
from pydantic import SecretStr

from bankai.settings import Group, InferenceSettings, ProcessSettings, TlsSettings, describe, environment, load


class KeySettings(Group):
    token: SecretStr = SecretStr("")
    url: str = ""


class ToySettings(ProcessSettings):
    model_config = environment("TOY")
    inference: InferenceSettings = InferenceSettings()
    keys: KeySettings = KeySettings()


def test_defaults_need_no_environment() -> None:
    settings = load(ToySettings)
    assert settings.server.max_message_bytes == 4 * 1024 * 1024
    assert settings.inference.models_dir == Path(__file__).parents[2] / "models"


def test_nested_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANKAI_TOY_SERVER__LISTEN", "0.0.0.0:50061")
    monkeypatch.setenv("BANKAI_TOY_INFERENCE__BACKEND", "triton")
    settings = load(ToySettings)
    assert settings.server.listen == "0.0.0.0:50061"
    assert settings.inference.backend == "triton"


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        ("BANKAI_TOY_SERVER__LISTEN", "nowhere", "must be host:port"),
        ("BANKAI_TOY_SERVER__LISTEN", "host:70000", "must be host:port"),
        ("BANKAI_TOY_SERVER__MAX_CONCURRENT_RPCS", "many", "valid integer"),
        ("BANKAI_TOY_SERVER__DRAIN_GRACE_S", "nan", "finite"),
        ("BANKAI_TOY_SERVER__LISTN", "0.0.0.0:1", "no such setting"),
        ("BANKAI_TOY_SERVR__LISTEN", "0.0.0.0:1", "no such setting"),
        ("BANKAI_TOY_SERVER__TLS", '{"cert": "/nowhere.pem"}', "cert and key must be set together"),
        ("BANKAI_TOY_LOG__LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_wrong_variable_stops_the_start_with_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str, hint: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as stop:
        load(ToySettings)
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"settings: {variable}: ")
    assert hint in message
    assert message.count("\n") == 1


def test_a_group_that_is_no_json_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BANKAI_TOY_SERVER", "{")
    with pytest.raises(SystemExit):
        load(ToySettings)
    assert "must be JSON" in capsys.readouterr().err


def test_a_wrong_secret_is_not_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BANKAI_TOY_KEYS__TOKEN__DEEPER", "hunter2")
    with pytest.raises(SystemExit):
        load(ToySettings)
    assert "hunter2" not in capsys.readouterr().err


def test_the_description_hides_secrets() -> None:
    settings = ToySettings(keys=KeySettings(token=SecretStr("hunter2"), url="redis://user:hunter2@host:6379/0"))
    described = describe(settings)
    assert "hunter2" not in repr(described)
    assert described["keys"]["url"] == "redis://***@host:6379/0"
    assert described["server"]["listen"] == "127.0.0.1:50051"


def test_tls_files_must_exist_and_belong_together(tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    file.touch()
    assert TlsSettings(cert=file, key=file).client_ca is None
    with pytest.raises(ValueError, match="client_ca needs cert and key"):
        TlsSettings(client_ca=file)
    with pytest.raises(ValueError, match="is no file"):
        TlsSettings(cert=file, key=tmp_path / "other.pem")
