from pathlib import Path

import pytest

from bankai.errors import UnauthenticatedError
from gateway.console import sessions as module
from gateway.console.keys import read_key, write_new_key
from gateway.console.sessions import Sessions
from gateway.console.settings import ConsoleSettings


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    write_new_key(tmp_path / "console.key")
    return tmp_path / "console.key"


@pytest.fixture
def sessions(key_file: Path) -> Sessions:
    return Sessions(read_key(key_file), ConsoleSettings(idle_s=600, session_s=3600))


def reason(sessions: Sessions, cookie: str) -> str:
    with pytest.raises(UnauthenticatedError) as caught:
        sessions.session(cookie)
    return caught.value.reason


def test_a_session_goes_on_while_it_is_used_and_not_for_ever(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin("secret")
    assert sessions.session(cookie).credential == "secret"
    assert "secret" not in cookie
    assert sessions.renewed(sessions.session(cookie)) is None
    for _ in range(7):
        clock.now += 500
        cookie = sessions.renewed(sessions.session(cookie)) or ""
    clock.now += 200
    assert reason(sessions, cookie) == "SESSION_OVER"  # an hour is over


def test_a_session_that_is_not_used_ends(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin("secret")
    clock.now += 601
    assert reason(sessions, cookie) == "SESSION_OVER"


def test_a_login_is_good_once_and_is_no_session(sessions: Sessions, clock: Clock) -> None:
    login = sessions.login("secret")
    assert reason(sessions, login) == "SESSION_OVER"
    assert sessions.redeem(login) == "secret"
    late = sessions.login("secret")
    clock.now += module.LOGIN_S + 1
    for used in (login, late, sessions.begin("secret")):
        with pytest.raises(UnauthenticatedError) as caught:
            sessions.redeem(used)
        assert caught.value.reason == "LOGIN_USED"


def test_what_another_key_has_sealed_or_somebody_has_changed_is_nothing(sessions: Sessions, tmp_path: Path) -> None:
    write_new_key(tmp_path / "other.key")
    other = Sessions(read_key(tmp_path / "other.key"), ConsoleSettings())
    cookie = sessions.begin("secret")
    for wrong in (other.begin("secret"), cookie[:-3] + "abc", "", "a.b.c", "a.b.c.d.e"):
        assert reason(sessions, wrong) == "SESSION_OVER"


def test_files_that_are_no_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("c2hvcnQ=")
    for file in (tmp_path / "key", tmp_path / "missing"):
        with pytest.raises(ValueError, match=file.name):
            ConsoleSettings(key=file)


def test_only_its_owner_reads_a_new_key(key_file: Path) -> None:
    assert key_file.stat().st_mode & 0o777 == 0o600
