import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64encode

from bankai.background import beside
from bankai.errors import BankaiError, UnavailableError
from gateway.authn import token_keys
from gateway.authn.access_tokens import TokenChecker
from gateway.authn.settings import TokenSettings
from gateway.authn.token_keys import FileTokenKeys, Keys, PublicKey, UrlTokenKeys, parse
from tests.tokens import forged

ISSUER = "https://login.bank.example"
AUDIENCE = "bankai"
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
WEAK = urlsafe_b64encode(
    rsa.generate_private_key(65537, 1024).public_key().public_numbers().n.to_bytes(128, "big")
).decode()
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"})


def public_set(*keys: PublicKey) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


class FixedKeys:
    def __init__(self, *keys: PublicKey) -> None:
        self.current: Keys = parse(json.dumps(public_set(*keys)).encode()) if keys else {}
        self.misses = 0

    def missed(self) -> None:
        self.misses += 1

    async def follow(self) -> None:
        pass


def claims(**changed: Any) -> dict[str, Any]:
    """Claims of a good token with some of them changed; whole numbers for times are seconds from now."""
    now = int(time.time())
    changed |= {name: now + at for name in ("exp", "nbf", "iat") if isinstance(at := changed.get(name), int)}
    usual = {"iss": ISSUER, "aud": AUDIENCE, "client_id": "ivr-platform", "iat": now, "exp": now + 300, "scope": "a b"}
    return {name: value for name, value in (usual | changed).items() if value is not None}


def token(key: PublicKey = RSA, algorithm: str = "RS256", typ: str = "at+jwt", **changed: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid, "typ": typ}, claims(**changed), key, algorithms=[algorithm])


def settings(file: Path, **changed: Any) -> TokenSettings:
    return TokenSettings.model_validate({"issuer": ISSUER, "audience": AUDIENCE, "jwks": str(file), **changed})


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(public_set(RSA, EC, ED)))
    return file


@pytest.fixture
def checker(jwks: Path) -> TokenChecker:
    return TokenChecker(settings(jwks), FixedKeys(RSA, EC, ED))


def reason(checker: TokenChecker, raw: str) -> str:
    with pytest.raises(BankaiError) as caught:
        checker.check(raw)
    assert len(raw) < 20 or raw[:20] not in caught.value.message
    return caught.value.reason


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256"), (ED, "Ed25519")])
def test_a_good_token(checker: TokenChecker, key: PublicKey, algorithm: str) -> None:
    found = checker.check(token(key, algorithm))
    assert (found.client, found.scopes, found.bound_to) == ("ivr-platform", frozenset("ab"), None)


@pytest.mark.parametrize(
    ("changed", "client", "scopes"),
    [
        ({"client_id": None, "azp": "azp-client"}, "azp-client", {"a", "b"}),
        ({"client_id": None, "sub": "subject"}, "subject", {"a", "b"}),
        ({"scope": None}, "ivr-platform", set()),
        ({"scope": None, "scp": ["x", "y"]}, "ivr-platform", {"x", "y"}),
        ({"aud": ["else", AUDIENCE]}, "ivr-platform", {"a", "b"}),
        ({"iat": 20}, "ivr-platform", {"a", "b"}),  # clocks differ
        ({"exp": -20}, "ivr-platform", {"a", "b"}),
    ],
)
def test_ways_to_say_it(checker: TokenChecker, changed: dict[str, Any], client: str, scopes: set[str]) -> None:
    found = checker.check(token(**changed))
    assert found.client == client
    assert found.scopes == scopes


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"exp": -60}, "TOKEN_EXPIRED"),
        ({"exp": None}, "TOKEN_INVALID"),
        ({"exp": "never"}, "TOKEN_NOT_FOR_US"),
        ({"nbf": 120}, "TOKEN_NOT_FOR_US"),
        ({"iat": 120}, "TOKEN_NOT_FOR_US"),
        ({"aud": "another"}, "TOKEN_NOT_FOR_US"),
        ({"aud": None}, "TOKEN_INVALID"),
        ({"aud": [["bankai"]]}, "TOKEN_NOT_FOR_US"),
        ({"iss": "https://login.bank.example.evil"}, "TOKEN_NOT_FOR_US"),
        ({"iss": None}, "TOKEN_INVALID"),
        ({"client_id": None}, "TOKEN_INVALID"),
        ({"client_id": 5}, "TOKEN_INVALID"),
        ({"scope": 5}, "TOKEN_INVALID"),
        ({"scope": None, "scp": [1]}, "TOKEN_INVALID"),
        ({"cnf": {"jkt": "x"}}, "TOKEN_INVALID"),
        ({"cnf": "x"}, "TOKEN_INVALID"),
        ({"typ": "id+jwt"}, "TOKEN_INVALID"),
        ({"typ": "dpop+jwt"}, "TOKEN_INVALID"),
    ],
)
def test_a_signed_token_that_is_not_for_us(checker: TokenChecker, changed: dict[str, Any], expected: str) -> None:
    assert reason(checker, token(**changed)) == expected


def test_a_token_of_a_stranger_with_the_id_of_a_known_key(checker: TokenChecker) -> None:
    assert reason(checker, token(STRANGER)) == "TOKEN_INVALID"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_algorithm_none(checker: TokenChecker, algorithm: str) -> None:
    assert reason(checker, forged({"alg": algorithm, "kid": "rsa", "typ": "at+jwt"}, claims())) == "TOKEN_INVALID"


@pytest.mark.parametrize("key", [RSA, EC, ED])
@pytest.mark.parametrize("secret", ["pem", "der", "jwk"])
def test_key_confusion(checker: TokenChecker, key: PublicKey, secret: str) -> None:
    """A token signed by HMAC with what everybody knows: the public key in its spellings."""
    spelled = {
        "pem": key.as_pem(private=False),
        "der": key.as_der(private=False),
        "jwk": json.dumps(key.as_dict(private=False)).encode(),
    }[secret]
    raw = forged({"alg": "HS256", "kid": key.kid, "typ": "at+jwt"}, claims(), spelled)
    assert reason(checker, raw) == "TOKEN_INVALID"


def test_an_algorithm_that_the_settings_do_not_name(jwks: Path) -> None:
    checker = TokenChecker(settings(jwks, algorithms=["ES256"]), FixedKeys(RSA, EC))
    assert reason(checker, token(RSA, "RS256")) == "TOKEN_INVALID"
    checker.check(token(EC, "ES256"))


def test_an_algorithm_that_does_not_fit_the_key(checker: TokenChecker) -> None:
    raw = jwt.encode({"alg": "RS256", "kid": "ec"}, claims(), RSA, algorithms=["RS256"])
    assert reason(checker, raw) == "TOKEN_INVALID"


def test_keys_that_the_token_brings_itself_are_not_used(checker: TokenChecker) -> None:
    stranger = STRANGER.as_dict(private=False)
    header = {"alg": "RS256", "typ": "at+jwt", "jwk": stranger, "kid": "mine"}
    assert reason(checker, jwt.encode(header, claims(), STRANGER, algorithms=["RS256"])) == "TOKEN_INVALID"


@pytest.mark.parametrize("header", [{"kid": 5}, {"kid": None}, {"crit": ["b64"], "b64": False}, {"typ": []}])
def test_odd_headers(checker: TokenChecker, header: dict[str, Any]) -> None:
    raw = forged({"alg": "RS256", "kid": "rsa", **header}, claims(), b"x")
    assert reason(checker, raw) in ("TOKEN_INVALID", "TOKEN_KEY_UNKNOWN")


@given(st.text())
def test_no_text_is_a_token(text: str) -> None:
    file = Path(__file__)
    assert reason(TokenChecker(settings(file), FixedKeys(RSA, EC)), text) == "TOKEN_INVALID"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_whatever_is_signed_is_read_or_refused(content: Any) -> None:
    """Also an identity provider may write nonsense."""
    checker = TokenChecker(settings(Path(__file__)), FixedKeys(ED))
    names = ("iss", "aud", "exp", "client_id", "scope", "cnf", "nbf")
    for name in names:
        raw = jwt.encode({"alg": "Ed25519", "kid": "ed"}, claims() | {name: content}, ED, algorithms=["Ed25519"])
        try:
            checker.check(raw)
        except BankaiError as error:
            assert error.reason.startswith("TOKEN_")  # noqa: PT017  # the other outcome is as good


def test_a_huge_token(checker: TokenChecker) -> None:
    assert reason(checker, token(scope="x" * 10_000)) == "TOKEN_INVALID"


def test_a_good_token_is_checked_once_until_it_ends(checker: TokenChecker, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = token(exp=5)
    first = checker.check(raw)
    assert checker.check(raw) is first
    later = time.time() + 40
    monkeypatch.setattr("gateway.authn.access_tokens.time.time", lambda: later)
    monkeypatch.setattr(jwt.JWTClaimsRegistry, "now", property(lambda _: int(later)))
    assert reason(checker, raw) == "TOKEN_EXPIRED"


def test_a_key_that_is_taken_back_takes_its_tokens_with_it(jwks: Path) -> None:
    keys = FixedKeys(RSA, EC)
    checker = TokenChecker(settings(jwks), keys)
    raw = token()
    checker.check(raw)
    keys.current = FixedKeys(EC).current
    assert reason(checker, raw) == "TOKEN_KEY_UNKNOWN"
    assert keys.misses == 1


def test_without_any_key_the_client_may_try_again(jwks: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        TokenChecker(settings(jwks), FixedKeys()).check(token())
    assert caught.value.reason == "TOKEN_KEYS_UNAVAILABLE"
    assert caught.value.retry_after


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no JSON Web Key Set"),
        ("[]", "no JSON Web Key Set"),
        ('{"keys": 5}', "no JSON Web Key Set"),
        ('{"keys": [{"kty": "RSA"}]}', "no JSON Web Key Set"),
        ('{"keys": []}', "no JSON Web Key Set"),
        (json.dumps({"keys": [OctKey.generate_key(256).as_dict()]}), "secret"),
        (json.dumps({"keys": [RSA.as_dict(private=True)]}), "secret"),
        (json.dumps({"keys": [{**RSA.as_dict(private=False), "use": "enc"}]}), "no key"),
        (json.dumps({"keys": [{"kty": "RSA", "e": "AQAB", "n": WEAK}]}), "2048"),
    ],
    ids=["nothing", "list", "number", "no_modulus", "no_key", "symmetric", "private", "encryption", "weak"],
)
@pytest.mark.filterwarnings("ignore:.*")  # the library warns of the weak keys that are made here
def test_key_sets_that_are_refused(content: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(content.encode())


def test_a_file_of_keys_is_followed(jwks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bankai.watched.PERIOD_S", 0.0)
    keys = FileTokenKeys(jwks)
    assert set(keys.current) == {"rsa", "ec", "ed"}
    jwks.write_text(json.dumps(public_set(EC)))
    assert set(keys.current) == {"ec"}
    jwks.write_text("{")
    assert set(keys.current) == {"ec"}


class Provider:
    """An identity provider's key endpoint."""

    def __init__(self) -> None:
        self.keys = public_set(RSA)
        self.status = 200
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response(self.keys, status=self.status)


async def test_keys_by_url_are_fetched_again_when_a_token_names_an_unknown_one(
    jwks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_keys, "_LEAST_PERIOD_S", 0.02)
    provider = Provider()
    app = web.Application()
    app.router.add_get("/jwks", provider.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    keys = UrlTokenKeys(f"http://127.0.0.1:{port}/jwks", 3600.0)
    checker = TokenChecker(settings(jwks), keys)
    try:
        async with beside(keys.follow()), asyncio.timeout(20):
            while not keys.current:  # noqa: ASYNC110  # a fetch sets no event
                await asyncio.sleep(0.01)
            checker.check(token())
            provider.keys = public_set(RSA, EC)
            assert reason(checker, token(EC, "ES256")) == "TOKEN_KEY_UNKNOWN"
            while "ec" not in keys.current:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.01)
            checker.check(token(EC, "ES256"))
            provider.status, asked = 503, provider.asked
            keys.missed()
            while provider.asked == asked:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            checker.check(token())  # what was known stays so
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("jwks_setting", ["http://login.bank.example/jwks", "ftp://x/jwks", "none.json"])
def test_keys_that_anybody_could_change_on_the_way_are_refused(jwks_setting: str) -> None:
    with pytest.raises(ValueError, match="jwks"):
        TokenSettings(issuer=ISSUER, audience=AUDIENCE, jwks=jwks_setting)
