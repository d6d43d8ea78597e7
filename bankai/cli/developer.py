"""The files that a developer's own gateway needs: made on the first use, so that `bankai up` needs no preparation."""

import os
from pathlib import Path

from bankai.cli.registry import CAPABILITIES

DEVELOPER = "dev"
"""Channel of the developer's key."""

_REFLECTION = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
_POLICY = "BANKAI_GATEWAY_POLICY_FILE"
_AUDIT = "BANKAI_GATEWAY_AUDIT__FOLDER"
_IDEMPOTENCY = "BANKAI_GATEWAY_IDEMPOTENCY__FOLDER"


def gateway_settings(state_dir: Path) -> dict[str, str]:
    """Variables for policy, audit log and idempotency keys, each where the environment says nothing of it.

    Args:
        state_dir: Where the files are kept.
    """
    settings: dict[str, str] = {}
    if _POLICY not in os.environ:
        settings[_POLICY] = str(_policy(state_dir))
    if _AUDIT not in os.environ:
        settings |= {_AUDIT: str(state_dir / "audit"), "BANKAI_GATEWAY_AUDIT__KEY": str(_audit_key(state_dir))}
    if _IDEMPOTENCY not in os.environ:
        settings[_IDEMPOTENCY] = str((state_dir / "gateway").resolve())
    return settings


def developer_key(state_dir: Path) -> tuple[str, Path, Path]:
    """The developer's API key, made on the first use.

    Returns:
        (the key, the file that holds it, the gateway's file of keys that accepts it)
    """
    from bankai.errors import UnauthenticatedError
    from gateway.authn.api_keys import KeyRing, add_key, new_key, read_keys

    key_file, keys_file = state_dir / "api-key", state_dir / "keys.yaml"
    if key_file.exists() and keys_file.exists():
        key = key_file.read_text(encoding="utf-8").strip()
        try:
            KeyRing(read_keys(keys_file)).check(key)
        except (UnauthenticatedError, ValueError):
            keys_file.unlink()  # both are ours alone: a pair that does not fit is made anew
        else:
            return key, key_file, keys_file
    state_dir.mkdir(parents=True, exist_ok=True)
    keys_file.unlink(missing_ok=True)
    key, record = new_key(DEVELOPER)
    add_key(keys_file, record)
    key_file.touch(mode=0o600)
    key_file.write_text(key + "\n", encoding="utf-8")
    return key, key_file, keys_file


def _policy(state_dir: Path) -> Path:
    """The policy that lets the developer's key call everything, written at each start."""
    import yaml

    services = sorted({name for capability in CAPABILITIES for name in capability.services} | set(_REFLECTION))
    grants = [{"service": service, "methods": ["*"], "limits": {"reads": ["*"]}} for service in services]
    state_dir.mkdir(parents=True, exist_ok=True)
    file = state_dir / "policy.yaml"
    file.write_text(yaml.safe_dump({"channels": {DEVELOPER: {"allow": grants}}}, sort_keys=False), encoding="utf-8")
    return file


def vouching_keys(state_dir: Path) -> tuple[Path, Path]:
    """The gateway's private key and the services' public one, made on the first use.

    Returns:
        (file of the private key, file of the public one)
    """
    from bankai.vouching import new_key_pair

    private, public = state_dir / "vouching.pem", state_dir / "vouching.pub.pem"
    if not (private.exists() and public.exists()):
        state_dir.mkdir(parents=True, exist_ok=True)
        private.touch(mode=0o600)
        for file, pem in zip((private, public), new_key_pair(), strict=True):
            file.write_bytes(pem)
    return private, public


def console_key(state_dir: Path) -> Path:
    """The key that seals the console's sessions, made on the first use."""
    from gateway.console.keys import write_new_key

    file = state_dir / "console.key"
    if not file.exists():
        state_dir.mkdir(parents=True, exist_ok=True)
        write_new_key(file)
    return file


def _audit_key(state_dir: Path) -> Path:
    """The key that signs the audit log, made on the first use."""
    from gateway.audit.keys import write_new_key

    private = state_dir / "audit.pem"
    if not private.exists():
        state_dir.mkdir(parents=True, exist_ok=True)
        write_new_key(private, state_dir / "audit.pub.pem")
    return private
