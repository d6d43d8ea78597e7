from pathlib import Path

import pytest

from bankai import watched
from bankai.watched import Watched
from tests.bankai.logs import logged


@pytest.fixture(autouse=True)
def _looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "PERIOD_S", 0.0)


def number_in(file: Path) -> Watched[int]:
    return Watched((file,), lambda: int(file.read_text()))


def test_a_change_is_seen_and_no_change_keeps_the_object(tmp_path: Path) -> None:
    file = tmp_path / "number"
    file.write_text("1000")
    found = number_in(file)
    before = found.current
    assert before == 1000
    assert found.current is before
    file.write_text("20")
    assert found.current == 20


def test_a_wrong_change_is_told_and_keeps_what_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "number"
    file.write_text("1")
    found = number_in(file)
    with logged(capsys) as logs:
        file.write_text("many")
        assert found.current == 1
        assert found.current == 1
        lines = logs.lines()
    assert [line["level"] for line in lines] == ["error"]
    assert lines[0]["files"] == ["number"]
    file.write_text("22")
    assert found.current == 22


def test_a_file_that_goes_away_keeps_what_was(tmp_path: Path) -> None:
    file = tmp_path / "number"
    file.write_text("1")
    found = number_in(file)
    file.unlink()
    assert found.current == 1
    file.write_text("333")
    assert found.current == 333


def test_a_link_that_is_turned_as_kubernetes_does(tmp_path: Path) -> None:
    for version in ("1", "2"):
        (tmp_path / f"v{version}").mkdir()
        (tmp_path / f"v{version}" / "number").write_text(version)
    link = tmp_path / "data"
    link.symlink_to("v1")
    found = number_in(link / "number")
    assert found.current == 1
    (tmp_path / "next").symlink_to("v2")
    (tmp_path / "next").replace(link)
    assert found.current == 2


def test_what_is_wrong_at_the_start_is_raised(tmp_path: Path) -> None:
    file = tmp_path / "number"
    file.write_text("many")
    with pytest.raises(ValueError, match="many"):
        number_in(file)


def test_files_are_left_alone_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "PERIOD_S", 3600.0)
    file = tmp_path / "number"
    file.write_text("1")
    found = number_in(file)
    file.write_text("22")
    assert found.current == 1
