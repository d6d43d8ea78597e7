import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OKPKey

from bankai import vouching
from bankai.errors import ForbiddenError, UnauthenticatedError
from bankai.vouching import LIFETIME_S, Signer, Verifier, Vouch, new_key_pair, read_private_key, read_public_keys
from tests.tokens import forged

METHOD = "/bankai.intent.v1.IntentService/Classify"
IVR = Vouch("ivr", languages=("zh",), document_kinds=None, reads=("core-banking",))


@pytest.fixture(scope="module")
def key() -> OKPKey:
    return OKPKey.generate_key("Ed25519")


@pytest.fixture
def verifier(key: OKPKey) -> Verifier:
    return Verifier({key.thumbprint(): OKPKey.import_key(key.as_dict(private=False))})


def reason(verifier: Verifier, token: str | None, method: str = METHOD) -> str:
    with pytest.raises(UnauthenticatedError) as caught:
        verifier.check(token, method)
    return caught.value.reason


@pytest.mark.parametrize(
    "vouch", [IVR, Vouch("risk"), Vouch("desk", reads=None), Vouch("x", languages=(), document_kinds=("loan",))]
)
def test_what_is_said_is_heard(key: OKPKey, verifier: Verifier, vouch: Vouch) -> None:
    token = Signer(key).token(vouch, METHOD)
    assert verifier.check(token, METHOD) == vouch
    assert verifier.check(token, METHOD) == vouch  # known by now


def test_a_token_is_signed_once_for_half_of_its_time(key: OKPKey, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000.0
    monkeypatch.setattr("bankai.vouching.time.time", lambda: now)
    signer = Signer(key)
    first = signer.token(IVR, METHOD)
    now += LIFETIME_S / 2 - 1
    assert signer.token(IVR, METHOD) == first
    assert signer.token(Vouch("risk"), METHOD) != first
    now += 1
    assert signer.token(IVR, METHOD) != first


def test_a_token_replayed_for_another_method_is_refused(key: OKPKey, verifier: Verifier) -> None:
    token = Signer(key).token(IVR, METHOD)
    verifier.check(token, METHOD)
    assert reason(verifier, token, "/bankai.intent.v1.IntentService/StreamCall") == "NOT_VOUCHED"


def test_a_token_replayed_later_is_refused_even_where_it_is_known(
    key: OKPKey, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_800_000_000.0
    monkeypatch.setattr("bankai.vouching.time.time", lambda: now)
    monkeypatch.setattr(jwt.JWTClaimsRegistry, "now", property(lambda _: int(now)))
    token = Signer(key).token(IVR, METHOD)
    now += LIFETIME_S
    verifier.check(token, METHOD)  # clocks may differ a little
    now += 6
    assert reason(verifier, token) == "NOT_VOUCHED"


def test_no_token_and_one_of_another_gateway_are_refused(verifier: Verifier) -> None:
    assert reason(verifier, None) == "NOT_VOUCHED"
    assert reason(verifier, Signer(OKPKey.generate_key("Ed25519")).token(IVR, METHOD)) == "NOT_VOUCHED"


def test_a_token_without_signature_or_signed_with_the_public_key_as_a_secret_is_refused(
    key: OKPKey, verifier: Verifier
) -> None:
    claims = {"iss": "bankai-gateway", "aud": METHOD, "sub": "ivr", "iat": 1, "exp": 4_000_000_000}
    unsigned = forged({"alg": "none", "kid": key.thumbprint()}, claims)
    confused = forged({"alg": "HS256", "kid": key.thumbprint()}, claims, key.as_pem(private=False))
    for token in (unsigned, confused):
        assert reason(verifier, token) == "NOT_VOUCHED"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "else"},
        {"sub": 5},
        {"exp": "tomorrow"},
        {"exp": None},
        {"languages": "zh"},
        {"reads": [1]},
        {"iat": 4_000_000_000},
    ],
)
def test_a_token_that_says_something_odd_is_refused(key: OKPKey, verifier: Verifier, changed: dict[str, Any]) -> None:
    claims = {"iss": "bankai-gateway", "aud": METHOD, "sub": "ivr", "iat": 1, "exp": 4_000_000_000} | changed
    claims = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode({"alg": "Ed25519", "kid": key.thumbprint()}, claims, key, algorithms=["Ed25519"])
    assert reason(verifier, token) == "NOT_VOUCHED"


@given(st.text())
def test_no_text_is_a_token(text: str) -> None:
    assert reason(Verifier({}), text) == "NOT_VOUCHED"


@given(st.binary(min_size=1, max_size=3), st.integers(min_value=0))
def test_a_token_with_a_changed_place_is_refused(change: bytes, place: int) -> None:
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", **_FIXED})
    verifier = Verifier({key.thumbprint(): key})
    token = Signer(key).token(IVR, METHOD)
    at = place % len(token)
    changed = token[:at] + change.decode("latin-1") + token[at + len(change) :]
    if changed != token and not _same_bytes(changed, token):
        assert reason(verifier, changed) == "NOT_VOUCHED"


def _same_bytes(one: str, other: str) -> bool:
    """Whether two spellings of base64 stand for the same: the last character of a part has spare bits."""
    parts = [part.rstrip("=") for part in one.split(".")], [part.rstrip("=") for part in other.split(".")]
    return len(parts[0]) == len(parts[1]) and all(a[:-1] == b[:-1] for a, b in zip(*parts, strict=True))


_FIXED = {
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",  # of RFC 8037
}


def test_keys_in_files(tmp_path: Path) -> None:
    private, public = tmp_path / "key.pem", tmp_path / "keys.pem"
    pairs = [new_key_pair() for _ in range(2)]
    private.write_bytes(pairs[0][0])
    public.write_bytes(pairs[1][1] + b"\n" + pairs[0][1])
    keys = read_public_keys(public)
    assert len(keys) == 2
    assert Verifier(keys).check(Signer(read_private_key(private)).token(IVR, METHOD), METHOD) == IVR


@pytest.mark.parametrize("content", ["", "hello", "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----"])
def test_files_without_keys(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.pem"
    file.write_text(content)
    for read in (read_public_keys, read_private_key):
        with pytest.raises(ValueError, match="key"):
            read(file)


def test_a_private_key_where_public_ones_belong_is_refused(tmp_path: Path) -> None:
    private, public = new_key_pair()
    file = tmp_path / "keys.pem"
    file.write_bytes(private)
    with pytest.raises(ValueError, match="Ed25519"):
        read_public_keys(file)
    file.write_bytes(public)
    with pytest.raises(ValueError, match="Ed25519 private"):
        read_private_key(file)


def test_limits_of_a_channel() -> None:
    IVR.check_language("zh")
    IVR.check_document_kind("loan contract")
    with pytest.raises(ForbiddenError) as caught:
        IVR.check_language("en")
    assert caught.value.reason == "LANGUAGE_NOT_ALLOWED"
    with pytest.raises(ForbiddenError) as caught:
        Vouch("x", document_kinds=("loan contract",)).check_document_kind("approval notice")
    assert caught.value.reason == "DOCUMENT_KIND_NOT_ALLOWED"
    assert IVR.readable == ("ivr", "core-banking")
    assert Vouch("desk", reads=None).readable is None


def test_a_channel_of_few_languages_must_name_one() -> None:
    with pytest.raises(ForbiddenError):
        IVR.check_language("")
    Vouch("all").check_language("")


def test_a_service_s_own_work_may_read_all() -> None:
    assert vouching.current().readable is None


def test_tokens_are_plain_json_web_tokens(key: OKPKey) -> None:
    decoded = jwt.decode(Signer(key).token(IVR, METHOD), key, algorithms=["Ed25519"])
    assert json.loads(json.dumps(decoded.claims)) | {"iat": 0, "exp": 0} == {
        "iss": "bankai-gateway",
        "aud": METHOD,
        "sub": "ivr",
        "languages": ["zh"],
        "reads": ["core-banking"],
        "iat": 0,
        "exp": 0,
    }
