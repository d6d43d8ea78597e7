"""Answers `POST /v1/{service}/{method}`: JSON in, JSON or events out, a call of the gateway in between."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
from aiohttp import web
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from bankai.errors import FaultError
from bankai.interceptors import request_id
from gateway.console.site import Console
from gateway.http import calls, errors
from gateway.http.bodies import JSON, Bodies
from gateway.http.calls import Terms
from gateway.http.descriptors import Descriptions, Method
from gateway.http.errors import Failure
from gateway.http.events import EventStream
from gateway.http.headers import from_trailers, metadata_of, timeout_of
from gateway.http.openapi import document
from gateway.http.peer import HandOver, certificate_of
from gateway.http.transcoding import Transcoder
from gateway.reflection import ask

_IDENTITY = web.RequestKey("request_id", str)
# A stream that fails by then, as one without credentials does, is answered with the status of its error.
_COMMITTED_S = 1.0


@dataclass(frozen=True)
class Methods:
    """Makes calls for HTTP clients.

    Attributes:
        channel: Channel to the gateway's own gRPC server.
        started: Done once that server has started.
        descriptions: What methods there are.
        transcoder: Turns answers into JSON.
        bodies: Reads requests.
        hand_over: Hands clients' certificates over.
        heartbeat_s: Silence after which an event stream gets a comment, in seconds.
        console: Knows who is signed in; None where there is no console.
    """

    channel: grpc.aio.Channel
    started: asyncio.Future[None]
    descriptions: Descriptions
    transcoder: Transcoder
    bodies: Bodies
    hand_over: HandOver
    heartbeat_s: float
    console: Console | None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers a request.

        Raises:
            BankaiError: The call was not made.
        """
        await asyncio.shield(self.started)
        method = await self.descriptions.method(request.match_info["service"], request.match_info["method"])
        terms = self._terms(request)
        self.bodies.check(request, method)
        try:
            if method.response_streaming:
                return await self._events(request, method, terms)
            if method.request_streaming:
                return await self._collected(request, method, terms)
            return await self._unary(request, method, terms)
        except grpc.aio.AioRpcError as error:
            return told(errors.failure(error, identity(request)), method)

    async def openapi(self, request: web.Request) -> web.Response:
        """Answers the OpenAPI document, to whom the gateway's server reflection would answer.

        Raises:
            grpc.aio.AioRpcError: It would not.
        """
        await asyncio.shield(self.started)
        question = ServerReflectionRequest(list_services="")
        listed = await ask(self.channel, question, self._terms(request).metadata)
        names = [service.name for service in listed.list_services_response.service]
        return web.json_response(document(await self.descriptions.of(names), names))

    def _terms(self, request: web.Request) -> Terms:
        own = metadata_of(request.headers, identity(request))
        signed_in = self.console.credential(request) if self.console is not None else None
        if signed_in is not None:
            own = (*own, ("authorization", f"Bearer {signed_in}"))
        return Terms((*own, *self.hand_over(certificate_of(request))), timeout_of(request.headers))

    async def _unary(self, request: web.Request, method: Method, terms: Terms) -> web.Response:
        message = await self.bodies.message(request, method)
        raw, trailers = await calls.unary(self.channel, method.path, message, terms)
        text = await self.transcoder.to_json(method.response, method.pool, raw)
        return web.Response(text=text, content_type=JSON, headers=from_trailers(trailers))

    async def _collected(self, request: web.Request, method: Method, terms: Terms) -> web.Response:
        async with calls.stream(self.channel, method.path, self.bodies.messages(request, method), terms) as answers:
            raw = await answers.next()
            if not isinstance(raw, bytes) or await answers.next() is not grpc.aio.EOF:
                raise FaultError("ANSWER_NOT_JSON", "the service did not give the one answer that it says it gives")
            text = await self.transcoder.to_json(method.response, method.pool, raw)
            return web.Response(text=text, content_type=JSON, headers=from_trailers(await answers.trailers()))

    async def _events(self, request: web.Request, method: Method, terms: Terms) -> web.StreamResponse:
        events = EventStream(request)
        requests = self.bodies.messages(request, method)
        if not method.request_streaming:
            requests = _one(await self.bodies.message(request, method))
        try:
            async with calls.stream(self.channel, method.path, requests, terms) as answers:
                while True:
                    raw = await answers.next(self.heartbeat_s if events.response else _COMMITTED_S)
                    if raw is grpc.aio.EOF:
                        return await events.end()
                    if raw is None:
                        await events.heartbeat()
                    else:
                        await events.message(await self.transcoder.to_json(method.response, method.pool, raw))
        except Exception as error:
            if events.response is None or isinstance(error, ConnectionError):  # the latter where the client is gone
                raise
            return await events.error(errors.failure(error, identity(request)).json(method.pool))


def identity(request: web.Request) -> str:
    """The id of a request: the client's own, or one that is made when it is first asked for."""
    if _IDENTITY not in request:
        request[_IDENTITY] = request_id.accepted_or_new(request.headers.get(request_id.HEADER, ""))
    return request[_IDENTITY]


def told(failure: Failure, method: Method | None = None) -> web.Response:
    """The answer that tells of a failure.

    Args:
        failure: What went wrong.
        method: The method that failed; its service may know more types of details.
    """
    text = failure.json(method.pool if method else None)
    return web.Response(status=failure.code, text=text, content_type=JSON, headers=failure.headers)


async def _one(message: bytes) -> AsyncIterator[bytes]:
    yield message
