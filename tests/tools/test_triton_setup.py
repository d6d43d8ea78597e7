"""What `make triton` does where there is nothing to do, and what it says where it cannot do it."""

import platform
from pathlib import Path

import pytest

from bankai.inference.triton_server import TritonInstallation
from tools import triton_setup
from tools.triton_setup import SetupError, set_up


@pytest.fixture
def installation(tmp_path: Path) -> TritonInstallation:
    """A place of its own, so that no test touches the real set-up."""
    return TritonInstallation(tmp_path / ".triton")


@pytest.mark.parametrize(
    ("function", "value", "complaint"),
    [("machine", "aarch64", "Linux on x86_64 only"), ("libc_ver", ("glibc", "2.31"), "glibc 2.35 or newer")],
)
def test_a_machine_that_cannot_run_it_is_told_before_anything_is_downloaded(
    installation: TritonInstallation, monkeypatch: pytest.MonkeyPatch, function: str, value: object, complaint: str
) -> None:
    monkeypatch.setattr(platform, function, lambda: value)
    with pytest.raises(SetupError, match=complaint):
        set_up(installation)
    assert not installation.root.exists()


@pytest.mark.slow
def test_a_package_that_cannot_be_installed_is_said_and_the_set_up_stays_incomplete(
    installation: TritonInstallation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text("this is no requirement")
    monkeypatch.setattr(triton_setup, "_PINS", pins)
    with pytest.raises(
        SetupError, match=r"pip could not install requirements/triton\.txt:\n.*no requirement"
    ) as caught:
        set_up(installation)
    assert "Traceback" not in str(caught.value)
    assert not installation.complete


def test_main_exits_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: TritonInstallation) -> None:
        raise SetupError("the reason")

    monkeypatch.setattr(triton_setup, "set_up", fail)
    with pytest.raises(SystemExit, match="make triton: the reason"):
        triton_setup.main()


def test_a_finished_set_up_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], installation: TritonInstallation
) -> None:
    monkeypatch.setattr(triton_setup, "_check_platform", lambda: None)
    monkeypatch.setattr(triton_setup, "_check_server", lambda _: None)
    built = []

    def build(place: TritonInstallation) -> None:
        built.append(place)
        place.root.mkdir(exist_ok=True)

    monkeypatch.setattr(triton_setup, "_build", build)
    set_up(installation)
    set_up(installation)
    assert len(built) == 1
    assert capsys.readouterr().out.count("Triton is set up in .triton/") == 2

    monkeypatch.setattr(triton_setup, "_fingerprint", lambda: "other pins")
    set_up(installation)
    assert len(built) == 2
