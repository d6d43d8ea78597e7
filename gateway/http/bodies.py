"""Bodies of requests: what may be sent, and how it is read."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from bankai.errors import BankaiError, DeadlineError, ExhaustedError, InvalidRequestError
from gateway.http import ndjson
from gateway.http.descriptors import Method
from gateway.http.transcoding import Transcoder

JSON = "application/json"
NDJSON = "application/x-ndjson"
# A message takes a third more as base64, and more with white space.
_JSON_FOR_BYTES = 2
_WHOLE_BODY_S = 60.0


class Bodies:
    """Reads requests' messages from their bodies.

    Args:
        transcoder: Turns JSON into messages.
        max_message_bytes: Largest message, in bytes; its JSON may have twice as many.
    """

    def __init__(self, transcoder: Transcoder, max_message_bytes: int) -> None:
        self._transcoder = transcoder
        self._max_message_bytes = max_message_bytes
        self._max_json_bytes = _JSON_FOR_BYTES * max_message_bytes

    def check(self, request: web.Request, method: Method) -> None:
        """Refuses a body that is not what the method takes, before it is read.

        Raises:
            InvalidRequestError: CONTENT_TYPE_UNSUPPORTED.
        """
        wanted = NDJSON if method.request_streaming else JSON
        # A browser may send an empty body without a type from any site, along with its user's certificate.
        browser = "Origin" in request.headers
        given = browser or request.can_read_body or "Content-Type" in request.headers
        if given and (request.content_type != wanted or (request.charset or "utf-8").lower() != "utf-8"):
            raise InvalidRequestError("CONTENT_TYPE_UNSUPPORTED", f"send {wanted}, in UTF-8")
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise InvalidRequestError("CONTENT_TYPE_UNSUPPORTED", "send the body without Content-Encoding")

    async def message(self, request: web.Request, method: Method) -> bytes:
        """The one message of a body, serialised.

        Raises:
            BankaiError: BODY_TOO_LARGE, BODY_TOO_SLOW, BODY_BROKEN, JSON_MALFORMED or JSON_INVALID.
        """
        if (request.content_length or 0) > self._max_json_bytes:
            raise self._too_large()
        text = bytearray()
        try:
            async with asyncio.timeout(_WHOLE_BODY_S):
                async for chunk in _chunks(request):
                    text += chunk
                    if len(text) > self._max_json_bytes:
                        raise self._too_large()
        except TimeoutError:
            raise DeadlineError("BODY_TOO_SLOW", f"the body was not there within {_WHOLE_BODY_S:.0f} s") from None
        return await self._bytes(method, bytes(text))

    async def messages(self, request: web.Request, method: Method) -> AsyncIterator[bytes]:
        """The messages of a body of lines as they come in, serialised.

        Raises:
            BankaiError: BODY_TOO_LARGE, BODY_BROKEN, JSON_MALFORMED or JSON_INVALID, with the number of the line.
        """
        async for number, line in ndjson.lines(_chunks(request), self._max_json_bytes):
            try:
                message = await self._bytes(method, line)
            except InvalidRequestError as error:
                raise InvalidRequestError(
                    error.reason, f"line {number}: {error.message}", violations=error.violations
                ) from None
            yield message

    async def _bytes(self, method: Method, text: bytes) -> bytes:
        message = await self._transcoder.to_bytes(method.request, method.pool, text)
        if len(message) > self._max_message_bytes:
            raise self._too_large()
        return message

    def _too_large(self) -> BankaiError:
        return ExhaustedError(
            "BODY_TOO_LARGE",
            f"a message may have {self._max_message_bytes} bytes, and its JSON {self._max_json_bytes}",
        )


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.content.iter_any():
            yield chunk
    except web.RequestPayloadError:
        raise InvalidRequestError("BODY_BROKEN", "the body ends early or is not framed as its headers say") from None
