from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from bankai.settings import TlsSettings
from bankai.tls import check_files, checked_chain
from tests.certificates import Authority


def minutes_left(shown_to: str) -> float:
    ends = REGISTRY.get_sample_value("bankai_certificate_not_after_timestamp_seconds", {"shown_to": shown_to})
    assert ends is not None
    return (ends - datetime.now(UTC).timestamp()) / 60


def test_the_end_of_a_certificate_in_force_is_a_metric(tmp_path: Path) -> None:
    authority = Authority()
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.pem)
    cert, key = authority.issue("server", lasts=timedelta(minutes=30)).write(tmp_path, "server")
    checked_chain(TlsSettings(cert=cert, key=key))
    assert minutes_left("clients") == pytest.approx(30, abs=2)
    cert, key = authority.issue("gateway", lasts=timedelta(minutes=10)).write(tmp_path, "gateway")
    check_files(ca=ca, cert=cert, key=key)
    assert minutes_left("servers") == pytest.approx(10, abs=2)


def test_a_chain_that_is_wrong_changes_nothing(tmp_path: Path) -> None:
    authority = Authority()
    cert, key = authority.issue("server", lasts=timedelta(minutes=30)).write(tmp_path, "server")
    checked_chain(TlsSettings(cert=cert, key=key))
    other, _ = authority.issue("other", lasts=timedelta(minutes=50)).write(tmp_path, "other")
    with pytest.raises(ValueError, match=r"other\.pem"):
        checked_chain(TlsSettings(cert=other, key=key))
    assert minutes_left("clients") == pytest.approx(30, abs=2)
