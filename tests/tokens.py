"""Tokens that no honest library makes."""

import hmac
import json
from collections.abc import Mapping
from typing import Any

from joserfc.util import urlsafe_b64encode


def forged(header: Mapping[str, Any], claims: Any, secret: bytes | None = None) -> str:
    """A JSON Web Token signed by HMAC-SHA256 with a secret, or with an empty signature."""
    head, body = (urlsafe_b64encode(json.dumps(part).encode()).decode() for part in (header, claims))
    signature = hmac.digest(secret, f"{head}.{body}".encode(), "sha256") if secret is not None else b""
    return f"{head}.{body}.{urlsafe_b64encode(signature).decode()}"
