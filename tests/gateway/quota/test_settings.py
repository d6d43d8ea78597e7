from typing import Any

import pytest
from pydantic import ValidationError

from bankai.settings import describe
from gateway.quota.settings import QuotaSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"redis_url": "http://127.0.0.1:6379"},
        {"redis_timeout_s": 0},
        {"local_share": 0},
        {"local_share": 1.5},
        {"lease_s": -1},
        {"lease": 1},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        QuotaSettings.model_validate(wrong)


def test_the_password_is_not_told() -> None:
    settings = QuotaSettings.model_validate({"redis_url": "rediss://user:secret@redis:6379/0"})
    assert "secret" not in str(describe(settings))
