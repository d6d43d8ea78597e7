"""What `make prometheus` does where there is nothing to do, and what it says where it cannot do it."""

from pathlib import Path

import pytest

from tools import prometheus_setup
from tools.prometheus_setup import PROGRAMS, SetupError, program, set_up


def programs(folder: Path) -> Path:
    """A folder with programs of Prometheus's names."""
    folder.mkdir(parents=True)
    for name in PROGRAMS:
        (folder / name).touch(mode=0o755)
    return folder


def test_a_machine_without_apt_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"there is no apt-get; install Prometheus so that .* are on the PATH"):
        set_up(tmp_path / ".prometheus")
    assert not (tmp_path / ".prometheus").exists()


def test_a_package_that_cannot_be_had_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("apt-get", "dpkg-deb"):
        (tools / name).write_text("#!/bin/sh\necho 'no such package' >&2\nexit 100\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(SetupError, match=r"^apt-get \w+ failed:\nno such package$"):
        set_up(tmp_path / ".prometheus")


def test_what_is_on_the_path_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(programs(tmp_path / "bin")))
    set_up(tmp_path / ".prometheus")
    assert program("prometheus", tmp_path / ".prometheus") == tmp_path / "bin" / "prometheus"
    assert not (tmp_path / ".prometheus").exists()


def test_a_finished_set_up_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    root = tmp_path / ".prometheus"
    programs(root / "usr" / "bin")
    set_up(root)
    assert capsys.readouterr().out == f"Prometheus is set up: {root / 'usr' / 'bin' / 'prometheus'}\n"


def test_main_exits_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise SetupError("the reason")

    monkeypatch.setattr(prometheus_setup, "set_up", fail)
    with pytest.raises(SystemExit, match="make prometheus: the reason"):
        prometheus_setup.main()
