from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bankai.errors import ForbiddenError
from gateway.authn.caller import Caller
from gateway.policy.decision import decide
from gateway.policy.loading import read_policy
from gateway.policy.model import Policy, Priority
from gateway.policy.policies import PolicyInForce

POLICY = """\
channels:
  ivr:
    priority: live
    limits: {calls_per_s: 500, burst: 1000, calls_at_once: 200}
    certificates: ["spiffe://bank.example/ivr", "CN=ivr,O=Bank"]
    allow:
      - service: bankai.intent.v1.IntentService
        methods: [Classify, StreamCall]
        limits: {languages: [zh], max_message_bytes: 65536}
      - service: bankai.intent.v1.IntentService
        methods: ["*"]
        scopes: [intent.admin]
  core-banking:
    clients: [core]
    allow:
      - service: bankai.doc_extract.v1.DocExtractService
        methods: ["*"]
        limits: {reads: [ivr]}
"""
CLASSIFY = "/bankai.intent.v1.IntentService/Classify"


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return written(tmp_path, POLICY)


def written(folder: Path, text: str) -> Policy:
    file = folder / "policy.yaml"
    file.write_text(dedent(text), encoding="utf-8")
    return read_policy(file)


def test_what_is_granted_is_allowed_with_its_limits(policy: Policy) -> None:
    decision = decide(policy, Caller("ivr", "key x"), CLASSIFY)
    permit = decision.enforce()
    assert decision.reason == "ALLOWED"
    assert permit.priority is Priority.LIVE
    assert permit.channel_limits.calls_per_s == 500
    assert permit.call_limits.languages == ("zh",)


@pytest.mark.parametrize(
    ("caller", "method", "reason"),
    [
        (Caller("nobody", "key x"), CLASSIFY, "CHANNEL_UNKNOWN"),
        (Caller("core-banking", "key x"), CLASSIFY, "METHOD_NOT_ALLOWED"),
        (Caller("ivr", "key x"), "/bankai.intent.v1.IntentServiceX/Classify", "METHOD_NOT_ALLOWED"),
        (Caller("ivr", "key x"), "/bankai.intent.v1.intentservice/Classify", "METHOD_NOT_ALLOWED"),
        (Caller("ivr", "key x"), "//bankai.intent.v1.IntentService/Classify", "METHOD_NOT_ALLOWED"),
        (Caller("ivr", "key x"), "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "METHOD_NOT_ALLOWED"),
        (Caller("ivr", "token c", frozenset({"x"})), "/bankai.intent.v1.IntentService/ListIntents", "SCOPE_MISSING"),
        (Caller("ivr", "token c", frozenset()), "/bankai.intent.v1.IntentService/ListIntents", "SCOPE_MISSING"),
    ],
)
def test_all_else_is_denied(policy: Policy, caller: Caller, method: str, reason: str) -> None:
    decision = decide(policy, caller, method)
    assert decision.reason == reason
    with pytest.raises(ForbiddenError) as caught:
        decision.enforce()
    assert caught.value.reason == reason


def test_a_scope_opens_what_needs_it(policy: Policy) -> None:
    admin = Caller("ivr", "token c", frozenset({"intent.admin", "else"}))
    assert decide(policy, admin, "/bankai.intent.v1.IntentService/ListIntents").permit is not None


def test_a_grant_that_names_the_method_goes_before_one_for_all(policy: Policy) -> None:
    without = Caller("ivr", "token c", frozenset())
    assert decide(policy, without, CLASSIFY).permit is not None


@given(st.text(), st.text())
def test_a_policy_that_allows_nothing_denies_everything(channel: str, method: str) -> None:
    policy = Policy.model_validate({"channels": {"ivr": {}}})
    assert decide(policy, Caller(channel, ""), method).permit is None


def test_who_a_credential_stands_for(policy: Policy) -> None:
    in_force = PolicyInForce(policy)
    assert in_force.channel_of_certificate("spiffe://bank.example/ivr") == "ivr"
    assert in_force.channel_of_certificate("spiffe://bank.example/ivr/") is None
    assert in_force.channel_of_client("core") == "core-banking"
    assert in_force.channel_of_client("spiffe://bank.example/ivr") is None


def test_decisions_are_made_once(policy: Policy) -> None:
    in_force = PolicyInForce(policy)
    first = in_force.decide(Caller("ivr", "key x"), CLASSIFY)
    assert in_force.decide(Caller("ivr", "key x"), CLASSIFY) is first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("channels:\n  ivr:\n    priority: urgent\n", "policy.yaml:3: channels.ivr.priority"),
        ("channels:\n  ivr:\n    alow: []\n", "policy.yaml:3: channels.ivr.alow"),
        ("channels:\n  IVR: {}\n", "policy.yaml:2: channels.IVR"),
        (
            "channels:\n  ivr:\n    allow:\n    - service: a.B\n      methods: [C]\n    - service: Classify\n"
            "      methods: [C]\n",
            "policy.yaml:6: channels.ivr.allow.1.service",
        ),
        ("channels:\n  ivr:\n    allow:\n    - service: a.B\n", "policy.yaml:4: channels.ivr.allow.0.methods"),
        ("channels:\n  ivr:\n    limits:\n      calls_per_s: 0\n", "policy.yaml:4: channels.ivr.limits.calls_per_s"),
        ("channels:\n  ivr:\n    limits:\n      burst: 5\n", "policy.yaml:3: channels.ivr.limits: burst needs"),
        (
            "channels:\n  ivr:\n    allow:\n    - {service: a.B, methods: [C, C]}\n",
            "policy.yaml:2: channels.ivr: a.B/C is allowed twice",
        ),
        (
            "channels:\n  ivr:\n    clients: [x]\n  risk:\n    clients: [x]\n",
            "x stands for ivr and for risk",
        ),
        ("channels:\n  ivr: {}\n  ivr: {}\n", "policy.yaml:3: ivr is there twice"),
        ("channels:\n  ivr: {\n", "policy.yaml:3: no YAML"),
        ("", "policy.yaml:1: "),
        ("[1]", "policy.yaml:1: "),
        ("channels: &a\n  ivr: *a\n", "policy.yaml"),
        ("? [a]\n: b\n", "policy.yaml"),
        ("channels: !!python/object/apply:os.system [ls]\n", "policy.yaml"),
    ],
)
def test_a_wrong_policy_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"policy\.yaml") as caught:
        written(tmp_path, text)
    assert said in str(caught.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="priority") as caught:
        written(tmp_path, "channels:\n  a:\n    priority: x\n  b:\n    limits: {burst: -1}\n")
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["3", "5"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(ANYTHING)
def test_whatever_a_file_holds_it_is_read_or_told(tmp_path_factory: pytest.TempPathFactory, content: object) -> None:
    file = tmp_path_factory.mktemp("policy") / "policy.yaml"
    file.write_text(yaml.safe_dump({"channels": content}), encoding="utf-8")
    told = ""
    try:
        read_policy(file)
    except ValueError as error:
        told = str(error)
    assert not told or "policy.yaml:" in told
