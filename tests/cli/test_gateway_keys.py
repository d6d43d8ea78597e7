"""`bankai gateway new-key`."""

from pathlib import Path

import pytest

from bankai.errors import UnauthenticatedError
from gateway.authn.api_keys import KeyRing, read_keys
from tests.cli.conftest import Run


def test_a_new_key_is_accepted(bankai: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    for channel in ("ivr", "core-banking"):
        done = bankai("gateway", "new-key", channel, "--keys-file", file)
        assert done.returncode == 0, done.stderr
        key = done.stdout.strip()
        assert KeyRing(read_keys(file)).check(key).channel == channel
        assert key not in file.read_text()
        assert key not in done.stderr


def test_an_expired_key_is_refused(bankai: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    key = bankai("gateway", "new-key", "ivr", "--keys-file", file, "--expires", "2020-01-01").stdout.strip()
    with pytest.raises(UnauthenticatedError, match="expired"):
        KeyRing(read_keys(file)).check(key)


def test_wrong_input_exits_2(bankai: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    assert bankai("gateway", "new-key", "Not A Name", "--keys-file", file).returncode == 2
    assert not file.exists()
    file.write_text("keys: 7", encoding="utf-8")
    done = bankai("gateway", "new-key", "ivr", "--keys-file", file)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    done = bankai("gateway", "new-key", "ivr", "--keys-file", tmp_path / "no" / "keys.yaml")
    assert (done.returncode, "cannot be written" in done.stderr) == (1, True)
