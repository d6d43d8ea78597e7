"""The console's pages, and signing in and out."""

import json
import mimetypes
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import structlog
from aiohttp import web

from bankai.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from gateway.authn.caller import Caller
from gateway.console.sessions import Session, Sessions

log = structlog.get_logger(__name__)

COOKIE = "bankai-session"
OWN_HEADER = "x-bankai-console"
"""A header that the console's own pages send, and no form or page of another site can."""

_PATH = "/console/"
_ASSETS = Path(str(files("gateway.console"))) / "assets"
_MAX_SECRET = 8192
_FOR_EVER = "public, max-age=31536000, immutable"
# Nothing but what lies here, no script or style within a page, no frame around it.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_SESSION = web.RequestKey("console session", Session)


class Console:
    """Serves the pages.

    Args:
        sessions: Who is signed in.
        caller: Finds out who a credential stands for, or raises UnauthenticatedError.
        tls: Whether the port speaks TLS.
    """

    def __init__(self, sessions: Sessions, caller: Callable[[str], Caller], *, tls: bool) -> None:
        self._sessions = sessions
        self._caller = caller
        self._tls = tls
        # They are part of the installation: read once, and nothing else can be asked for.
        self._pages = {file.relative_to(_ASSETS).as_posix(): file.read_bytes() for file in _ASSETS.rglob("*.*")}

    def add_to(self, application: web.Application) -> None:
        """Adds the console's paths."""
        application.on_response_prepare.append(self._complete)
        router = application.router
        router.add_get("/", _to_the_console)
        router.add_get("/console", _to_the_console)
        router.add_post(f"{_PATH}session", self._sign_in)
        router.add_get(f"{_PATH}session", self._who)
        router.add_delete(f"{_PATH}session", self._sign_out)
        router.add_get(_PATH + "{page:.*}", self._page)

    def credential(self, request: web.Request) -> str | None:
        """The credential of whoever is signed in; None where the request has no session, or one of its own.

        Raises:
            ForbiddenError: ORIGIN_NOT_ALLOWED.
            UnauthenticatedError: SESSION_OVER.
        """
        cookie = request.cookies.get(COOKIE)
        if cookie is None or "authorization" in request.headers or "x-api-key" in request.headers:
            return None
        _check_origin(request)
        session = self._sessions.session(cookie)
        request[_SESSION] = session
        return session.credential

    async def _complete(self, request: web.Request, response: web.StreamResponse) -> None:
        """Lets a session that is used go on."""
        session = request.get(_SESSION)
        if session is not None and (cookie := self._sessions.renewed(session)):
            self._set(response, cookie)

    async def _page(self, request: web.Request) -> web.Response:
        name = request.match_info["page"]
        if name not in self._pages:
            if "." in name.rpartition("/")[2]:
                raise NotFoundError("PAGE_NOT_FOUND", "the console has no such file")
            name = "index.html"  # its addresses are known to the page itself
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        charset = "utf-8" if kind.startswith("text/") else None
        headers = _HEADERS | {"Cache-Control": _FOR_EVER if name.startswith("assets/") else "no-cache"}
        return web.Response(body=self._pages[name], content_type=kind, charset=charset, headers=headers)

    async def _sign_in(self, request: web.Request) -> web.Response:
        _check_origin(request)
        said = await _said(request)
        credential = self._sessions.redeem(said["login"]) if "login" in said else said.get("credential", "").strip()
        if not credential:
            raise UnauthenticatedError("CREDENTIAL_REQUIRED", "send an API key, an access token or a one-time login")
        try:
            caller = self._caller(credential)
        except UnauthenticatedError as error:
            log.warning("nobody was signed in", reason=error.reason)
            raise
        log.info("signed in", channel=caller.channel, credential=caller.credential)
        response = _told(caller)
        self._set(response, self._sessions.begin(credential))
        return response

    async def _who(self, request: web.Request) -> web.Response:
        credential = self.credential(request)
        if credential is None:
            raise UnauthenticatedError("SESSION_OVER", "nobody is signed in")
        return _told(self._caller(credential))

    async def _sign_out(self, request: web.Request) -> web.Response:
        _check_origin(request)
        response = web.json_response({})
        response.del_cookie(COOKIE, path="/", secure=self._tls, httponly=True, samesite="Strict")
        return response

    def _set(self, response: web.StreamResponse, cookie: str) -> None:
        response.set_cookie(COOKIE, cookie, path="/", secure=self._tls, httponly=True, samesite="Strict")


async def _to_the_console(_request: web.Request) -> web.Response:
    raise web.HTTPFound(_PATH)


def _told(caller: Caller) -> web.Response:
    return web.json_response({"channel": caller.channel, "credential": caller.credential})


def _check_origin(request: web.Request) -> None:
    """Lets in what the console's own pages send, and nothing that another site makes a browser send (CSRF).

    Raises:
        ForbiddenError: ORIGIN_NOT_ALLOWED.
    """
    if OWN_HEADER not in request.headers or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ForbiddenError(
            "ORIGIN_NOT_ALLOWED", f"only the console's own pages may call with its cookie ({OWN_HEADER})"
        )


async def _said(request: web.Request) -> dict[str, str]:
    """The texts of the request's JSON object; nothing where it is none, or larger than any credential."""
    raw = await request.content.read(_MAX_SECRET + 1)
    try:
        said = json.loads(raw) if len(raw) <= _MAX_SECRET else None
    except ValueError:
        return {}
    return {name: value for name, value in said.items() if isinstance(value, str)} if isinstance(said, dict) else {}
