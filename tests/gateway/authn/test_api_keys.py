import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bankai.errors import UnauthenticatedError
from gateway.authn.api_keys import ApiKey, KeyRing, add_key, new_key, read_keys

MESSAGES = {
    "API_KEY_UNKNOWN": "the API key is not known",
    "API_KEY_EXPIRED": "the API key has expired; ask for a new one",
}


def refusal(ring: KeyRing, raw: str) -> str:
    with pytest.raises(UnauthenticatedError) as caught:
        ring.check(raw)
    # The whole message, as a short text may stand in any sentence by chance.
    assert caught.value.message == MESSAGES[caught.value.reason]
    return caught.value.reason


def test_a_new_key_is_known_and_names_its_channel() -> None:
    raw, record = new_key("ivr")
    assert KeyRing([record]).check(raw) == record
    assert record.channel == "ivr"


def test_the_record_does_not_hold_the_key() -> None:
    raw, record = new_key("ivr")
    assert raw not in str(record)
    assert raw.split("_", 2)[2] not in str(record)


def test_keys_differ() -> None:
    assert len({new_key("ivr")[0] for _ in range(100)}) == 100


def test_a_key_of_somebody_else_with_the_same_id_is_unknown() -> None:
    raw, record = new_key("ivr")
    forged = raw[:-1] + ("A" if raw[-1] != "A" else "B")
    assert refusal(KeyRing([record]), forged) == "API_KEY_UNKNOWN"


def test_an_expired_key() -> None:
    now = datetime.now(UTC)
    (late, expired), (early, valid) = (
        new_key("ivr", expires=now - timedelta(seconds=1)),
        new_key("ivr", expires=now + timedelta(hours=1)),
    )
    ring = KeyRing([expired, valid])
    assert refusal(ring, late) == "API_KEY_EXPIRED"
    assert ring.check(early) == valid


def test_only_the_holder_learns_that_a_key_has_expired() -> None:
    raw, record = new_key("ivr", expires=datetime.now(UTC) - timedelta(seconds=1))
    assert refusal(KeyRing([record]), raw[:-1] + "!") == "API_KEY_UNKNOWN"


@given(st.text(max_size=100) | st.from_regex(r"bankai_[a-z]{12}_[0-9A-Za-z_-]{43}", fullmatch=True))
def test_no_other_text_is_a_key(text: str) -> None:
    assert refusal(KeyRing([new_key("ivr")[1]]), text) == "API_KEY_UNKNOWN"


def test_no_text_matches_an_empty_ring() -> None:
    assert refusal(KeyRing([]), new_key("ivr")[0]) == "API_KEY_UNKNOWN"


@pytest.mark.parametrize("channel", ["", "IVR", "ivr desk", "ivr\n", "-ivr", "x" * 64])
def test_a_channel_must_have_a_plain_name(channel: str) -> None:
    with pytest.raises(ValidationError):
        new_key(channel)


def test_an_expiry_needs_a_time_zone() -> None:
    with pytest.raises(ValidationError):
        new_key("ivr", expires=datetime(2030, 1, 1))  # noqa: DTZ001  # the point of the test


def test_a_file_of_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    one, two = new_key("ivr")[1], new_key("core-banking", expires=datetime(2030, 1, 1, tzinfo=UTC))[1]
    add_key(file, one)
    add_key(file, two)
    assert read_keys(file) == (one, two)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_an_empty_file_has_no_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    file.write_text("")
    assert read_keys(file) == ()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("keys: [{id: abcdefgh, channel: ivr}]", "keys.0.sha256"),
        ("keys: [{id: abcdefgh, channel: ivr, sha256: secret}]", "keys.0.sha256"),
        ("keys: [{id: abcdefgh, channel: ivr, sha256: " + "a" * 64 + ", extra: 1}]", "keys.0.extra"),
        ("keys: {", "YAML"),
        ("[1]", "valid dictionary"),
        ("other: []", "other"),
        (f"keys: [{', '.join(['{id: abcdefgh, channel: ivr, sha256: ' + 'a' * 64 + '}'] * 2)}]", "twice"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_and_without_the_value(tmp_path: Path, text: str, where: str) -> None:
    file = tmp_path / "keys.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=where) as caught:
        read_keys(file)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="FileNotFoundError"):
        read_keys(tmp_path / "keys.yaml")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys.yaml"
    add_key(file, new_key("ivr")[1])
    before = file.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("gateway.authn.api_keys.yaml.safe_dump", fail)
    with pytest.raises(OSError, match="disk full"):
        add_key(file, new_key("ivr")[1])
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_records_are_frozen() -> None:
    record: ApiKey = new_key("ivr")[1]
    with pytest.raises(ValidationError):
        record.channel = "other"  # type: ignore[misc]  # the point of the test
