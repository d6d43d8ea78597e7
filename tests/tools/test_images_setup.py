"""What setting up for `make images` does where there is nothing to do, and what it says where it cannot be done."""

from pathlib import Path

import pytest

from tools import buildah, images_setup
from tools.images_setup import PROGRAMS, SetupError, missing, set_up


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that programs are looked for in; empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(buildah, "STORAGE", tmp_path / "storage")
    return folder


def _program(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def _all(path: Path, buildah_does: str) -> None:
    for name in PROGRAMS:
        _program(path / name, buildah_does if name == "buildah" else "exit 1")


@pytest.mark.usefixtures("path")
def test_a_machine_without_apt_is_told_what_to_do() -> None:
    assert missing() == list(PROGRAMS)
    with pytest.raises(SetupError, match=r"needs Debian and root; elsewhere name base images of your own"):
        set_up()


def test_bases_that_are_not_there_are_missing(path: Path) -> None:
    _all(path, "exit 0")
    assert missing() == list(buildah.BASES.values())


def test_a_finished_set_up_is_left_alone(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _all(path, "echo 0123456789ab")
    set_up()
    assert capsys.readouterr().out.startswith("Images can be built")


def test_what_buildah_says_is_handed_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _all(path, "echo 'no space left' >&2; exit 125")
    with pytest.raises(buildah.BuildahError, match=r"^buildah from failed:\nno space left$"):
        buildah.buildah("from", "scratch")
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(SystemExit, match="images set-up: needs Debian and root"):
        images_setup.main()
