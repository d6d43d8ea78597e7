import logging as standard
import sys
import warnings

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from tests.bankai.logs import Logs, logged

PHONE = "13812345678"
EVENT = f"at {PHONE}"


def fail() -> None:
    raise ValueError(f"call {PHONE}")


def test_a_line_is_json_with_the_calls_context(logs: Logs) -> None:
    with bound_contextvars(request_id="abc"):
        structlog.get_logger("x").info("done", ms=1.5, name="张三")
    (line,) = logs.lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "done", "level": "info", "ms": 1.5, "name": "张三", "request_id": "abc", "service": "toy"}
    assert "张三" in logs.text


def test_every_part_of_a_line_is_redacted(logs: Logs) -> None:
    log = structlog.get_logger("x")
    try:
        fail()
    except ValueError:
        log.exception(EVENT, nested={"list": [PHONE, 1]}, trace_id=PHONE, **{PHONE: "key"})
    with bound_contextvars(request_id=PHONE):
        log.info("in a context", service=PHONE, level=PHONE, timestamp=PHONE)
    assert PHONE not in logs.text
    first, _ = logs.lines()
    assert first["event"] == "at [phone]"
    assert "ValueError: call [phone]" in first["exception"]
    assert first["nested"] == {"list": ["[phone]", 1]}


def test_the_standard_library_and_warnings_are_written_alike(logs: Logs) -> None:
    try:
        fail()
    except ValueError:
        standard.getLogger("grpc.toy").exception("failed for %s", PHONE)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"beware of {PHONE}", stacklevel=1)
    first, second = logs.lines()
    assert first["event"] == "failed for [phone]"
    assert first["logger"] == "grpc.toy"
    assert first["service"] == "toy"
    assert "beware of [phone]" in second["event"]
    assert PHONE not in logs.text


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Invalid encoding on %s", "a client's metadata is no text"),
        (
            "Unexpected [UnicodeDecodeError] raised by servicer method [%s]",
            "the name of a called method is no text",
        ),
        ("Failed sending error status from server%s", "a client was gone before its call's error could be sent"),
    ],
)
def test_what_grpc_says_of_clients_holds_nothing_of_theirs(said: str, written: str, logs: Logs) -> None:
    try:
        b"\xd0\xd7 letmein".decode()
    except UnicodeDecodeError:
        standard.getLogger("grpc._cython.cygrpc").exception(said, b"\xd0\xd7 letmein")
    (line,) = logs.lines()
    assert (line["level"], line["event"]) == ("warning", written)
    assert "letmein" not in logs.text
    assert "exception" not in line


def test_levels_below_the_setting_are_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    with logged(capsys, level="warning") as logs:
        structlog.get_logger("x").info("low")
        standard.getLogger("x").info("low")
        structlog.get_logger("x").warning("high")
        standard.getLogger("x").warning("high")
        assert [line["event"] for line in logs.lines()] == ["high", "high"]


def test_a_terminal_gets_readable_lines_redacted_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with logged(capsys) as logs:
        try:
            fail()
        except ValueError:
            structlog.get_logger("x").exception("failed")
        assert not logs.text.startswith("{")
        assert "ValueError: call [phone]" in logs.text
        assert PHONE not in logs.text
