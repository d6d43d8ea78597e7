"""The console's pages and its sign-in, over real HTTP: who gets in, and what another site can make a browser do."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bankai.loopback import HOST
from gateway.authn.api_keys import read_keys, remove_key
from gateway.console.keys import read_key, write_new_key
from gateway.console.sessions import Sessions
from gateway.console.settings import ConsoleSettings
from gateway.console.site import COOKIE
from tests.gateway.http.conftest import Http, settings_for, through
from tests.gateway.http.kinds import SERVICE, Kinds, serving

OWN = {"x-bankai-console": "1"}


@pytest.fixture
def console_key(tmp_path: Path) -> Path:
    write_new_key(tmp_path / "console.key")
    return tmp_path / "console.key"


@pytest.fixture
async def http(key_file: tuple[Path, str], console_key: Path) -> AsyncIterator[Http]:
    async with serving(Kinds()) as port:
        settings = settings_for(f"{HOST}:{port}", key_file[0], console={"key": console_key})
        async with through(settings, key_file[1]) as client:
            yield client


async def signed_in(http: Http, headers: dict[str, str] = OWN, **said: str) -> tuple[int, Any]:
    async with http.session.post(f"{http.base}/console/session", json=said, headers=headers) as answer:
        return answer.status, await answer.json()


async def called(http: Http, headers: dict[str, str] = OWN) -> tuple[int, str]:
    """Status and reason of a call with nothing but the cookie."""
    sent = {"content-type": "application/json", **headers}
    async with http.session.post(f"{http.base}/v1/{SERVICE}/Nothing", headers=sent) as answer:
        return answer.status, reason(await answer.json())


def reason(body: Any) -> str:
    return str(body["error"]["details"][0]["reason"]) if "error" in body else ""


async def test_whoever_signs_in_calls_as_the_channel_until_they_sign_out(http: Http) -> None:
    # The jar of the session keeps no cookies of addresses unless told to.
    http.session._cookie_jar = aiohttp.CookieJar(unsafe=True)
    assert await called(http) == (401, "CREDENTIAL_REQUIRED")
    assert (await signed_in(http, credential="nonsense"))[0] == 401
    status, said = await signed_in(http, credential=http.key)
    assert (status, said["channel"]) == (200, "ivr")
    assert await called(http) == (200, "")
    async with http.session.get(f"{http.base}/console/session", headers=OWN) as who:
        assert (await who.json())["channel"] == "ivr"
    async with http.session.delete(f"{http.base}/console/session", headers=OWN) as gone:
        assert gone.status == 200
    assert (await called(http))[0] == 401


async def test_another_site_can_do_nothing_with_the_cookie(http: Http) -> None:
    http.session._cookie_jar = aiohttp.CookieJar(unsafe=True)
    await signed_in(http, credential=http.key)
    for headers in ({}, OWN | {"sec-fetch-site": "cross-site"}, OWN | {"sec-fetch-site": "same-site"}):
        assert await called(http, headers) == (403, "ORIGIN_NOT_ALLOWED")
        assert (await signed_in(http, headers, credential=http.key))[0] == 403
    assert await called(http, OWN | {"sec-fetch-site": "same-origin"}) == (200, "")


async def test_the_cookie_is_kept_from_scripts_and_from_other_sites(http: Http) -> None:
    async with http.session.post(f"{http.base}/console/session", json={"credential": http.key}, headers=OWN) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert http.key not in cookie


async def test_a_key_that_is_taken_back_ends_the_session(http: Http, key_file: tuple[Path, str]) -> None:
    http.session._cookie_jar = aiohttp.CookieJar(unsafe=True)
    await signed_in(http, credential=http.key)
    (record,) = read_keys(key_file[0])
    remove_key(key_file[0], record.id)
    async with asyncio.timeout(20):  # the file is looked at once a second
        while (await called(http))[0] != 401:  # noqa: ASYNC110  # a file tells nobody
            await asyncio.sleep(0.05)


async def test_a_one_time_login(http: Http, console_key: Path) -> None:
    login = Sessions(read_key(console_key), ConsoleSettings()).login(http.key)
    assert (await signed_in(http, login=login))[1]["channel"] == "ivr"
    status, body = await signed_in(http, login=login)
    assert (status, reason(body)) == (401, "LOGIN_USED")


@pytest.mark.parametrize("body", [b"", b"[]", b"nothing", b'{"credential": 5}', b'{"credential": " "}', b"x" * 10_000])
async def test_a_sign_in_without_a_credential(http: Http, body: bytes) -> None:
    async with http.session.post(f"{http.base}/console/session", data=body, headers=OWN) as answer:
        assert (answer.status, reason(await answer.json())) == (401, "CREDENTIAL_REQUIRED")


async def test_pages_run_nothing_that_does_not_lie_here(http: Http) -> None:
    async with http.session.get(f"{http.base}/") as page:
        assert page.url.path == "/console/"
        policy = page.headers["Content-Security-Policy"]
        text = await page.text()
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert (page.headers["X-Content-Type-Options"], page.headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|https?://", text)
    assets = re.findall(r'(?:src|href)="(/console/[^"]+)"', text)
    assert len(assets) >= 3
    for asset in assets:
        async with http.session.get(http.base + asset) as file:
            assert file.status == 200
            assert await file.read()


async def test_files_are_kept_for_ever_and_the_page_is_asked_for_again(http: Http) -> None:
    async with http.session.get(f"{http.base}/console/documents/any") as page:
        text = await page.text()
        assert (page.status, page.headers["Cache-Control"]) == (200, "no-cache")
    script = re.findall(r'src="(/console/assets/[^"]+)"', text)[0]
    async with http.session.get(http.base + script) as file:
        assert "immutable" in file.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["x.js", "../settings.py", "%2e%2e/site.py", "assets/../../site.py", "assets/x.map"])
async def test_nothing_else_can_be_read(http: Http, path: str) -> None:
    async with http.session.get(f"{http.base}/console/{path}") as answer:
        assert "import" not in await answer.text()
        assert answer.status == 404


async def test_without_a_key_there_is_no_console(key_file: tuple[Path, str]) -> None:
    async with (
        serving(Kinds()) as port,
        through(settings_for(f"{HOST}:{port}", key_file[0]), key_file[1]) as client,
        client.session.get(f"{client.base}/console/") as answer,
    ):
        assert answer.status == 404
