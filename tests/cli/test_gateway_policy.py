"""`bankai gateway check-policy`, `explain`, `revoke-key` and `new-vouching-key`."""

from pathlib import Path

import pytest

from bankai.errors import UnauthenticatedError
from bankai.vouching import Signer, Verifier, Vouch, read_private_key, read_public_keys
from gateway.authn.api_keys import KeyRing, read_keys
from tests.cli.conftest import Run

POLICY = """\
channels:
  ivr:
    priority: live
    limits: {calls_per_s: 50}
    certificates: ["spiffe://bank.example/ivr"]
    allow:
      - service: bankai.intent.v1.IntentService
        methods: [Classify]
        scopes: [intent.call]
        limits: {languages: [zh, en]}
  idle: {}
"""
CLASSIFY = "bankai.intent.v1.IntentService/Classify"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY, encoding="utf-8")
    return file


def test_a_good_policy_is_told_in_short(bankai: Run, policy: Path) -> None:
    done = bankai("gateway", "check-policy", policy)
    assert done.returncode == 0, done.stderr
    assert "ivr (live), known by spiffe://bank.example/ivr, its API keys, may call:" in done.stdout
    assert f"  {CLASSIFY}\n" in done.stdout
    assert "idle (interactive), known by its API keys, may call:\n  nothing\n" in done.stdout


def test_a_wrong_policy_is_told_with_its_lines(bankai: Run, policy: Path) -> None:
    policy.write_text(POLICY.replace("live", "urgent").replace("calls_per_s: 50", "calls_per_s: -1"), encoding="utf-8")
    done = bankai("gateway", "check-policy", policy)
    assert done.returncode == 2
    assert "policy.yaml:3: channels.ivr.priority" in done.stderr
    assert "policy.yaml:4: channels.ivr.limits.calls_per_s" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--channel", "ivr", "--method", CLASSIFY), 0, "allowed: channel ivr may call"),
        (("--channel", "ivr", "--method", f"/{CLASSIFY}", "--scope", "intent.call"), 0, "call limit languages: zh, en"),
        (("--channel", "ivr", "--method", CLASSIFY, "--scope", "else"), 1, "SCOPE_MISSING"),
        (("--channel", "ivr", "--method", "bankai.intent.v1.IntentService/ListIntents"), 1, "METHOD_NOT_ALLOWED"),
        (("--channel", "idle", "--method", CLASSIFY), 1, "may call nothing"),
        (("--channel", "nobody", "--method", CLASSIFY), 1, "CHANNEL_UNKNOWN"),
    ],
)
def test_a_decision_is_explained(bankai: Run, policy: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = bankai("gateway", "explain", "--policy-file", policy, *arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stdout


def test_a_key_is_taken_back(bankai: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    key = bankai("gateway", "new-key", "ivr", "--keys-file", file).stdout.strip()
    key_id = key.split("_")[1]
    assert bankai("gateway", "revoke-key", key_id, "--keys-file", file).returncode == 0
    with pytest.raises(UnauthenticatedError, match="not known"):
        KeyRing(read_keys(file)).check(key)
    again = bankai("gateway", "revoke-key", key_id, "--keys-file", file)
    assert again.returncode != 0
    assert "has no key" in again.stderr


def test_vouching_keys_are_made_and_changed(bankai: Run, tmp_path: Path) -> None:
    method, ivr = f"/{CLASSIFY}", Vouch("ivr")
    public = tmp_path / "vouching.pub.pem"
    for name in ("first.pem", "second.pem"):
        assert bankai("gateway", "new-vouching-key", tmp_path / name, public).returncode == 0
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    verifier = Verifier(read_public_keys(public))
    for name in ("first.pem", "second.pem"):
        assert verifier.check(Signer(read_private_key(tmp_path / name)).token(ivr, method), method) == ivr
