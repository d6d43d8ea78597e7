"""The files of a gateway with everything on that a benchmark starts by itself: an API key, a policy, an audit key."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gateway.audit.keys import write_new_key
from gateway.authn.api_keys import add_key, new_key

_CHANNEL = "benchmark"


def gateway_files(folder: Path, service: str, route: str | Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Writes them, for one channel that may call one service as often as it likes.

    Args:
        folder: Where they go.
        service: Full name of the service.
        route: Its entry in the route table.

    Returns:
        (the channel's API key, the gateway's settings as variables of the environment)
    """
    key, record = new_key(_CHANNEL)
    add_key(folder / "keys.yaml", record)
    write_new_key(folder / "audit.pem", folder / "audit.pub.pem")
    grants = [{"service": service, "methods": ["*"]}]
    channel = {"limits": {"calls_per_s": 10_000.0, "streams_at_once": 10_000}, "allow": grants}
    (folder / "policy.yaml").write_text(yaml.safe_dump({"channels": {_CHANNEL: channel}}), encoding="utf-8")
    return key, {
        "BANKAI_GATEWAY_KEYS_FILE": str(folder / "keys.yaml"),
        "BANKAI_GATEWAY_POLICY_FILE": str(folder / "policy.yaml"),
        "BANKAI_GATEWAY_AUDIT__FOLDER": str(folder / "audit"),
        "BANKAI_GATEWAY_AUDIT__KEY": str(folder / "audit.pem"),
        "BANKAI_GATEWAY_ROUTES": json.dumps({service: route}),
    }
