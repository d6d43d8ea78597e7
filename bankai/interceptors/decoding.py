"""Answers a message that cannot be decoded with INVALID_ARGUMENT, where grpc would say INTERNAL or UNKNOWN."""

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from bankai.errors import InvalidRequestError
from bankai.interceptors.base import BaseInterceptor, Context, Handler


class DecodingInterceptor(BaseInterceptor):
    """Decodes and encodes inside of the errors interceptor. Belongs last in the chain, next to the handler."""

    def wrap(self, handler: Handler) -> None:
        """Makes decoding raise InvalidRequestError, at the `read` of a stream or before a unary handler runs."""
        decode, encode, behaviour = (
            _decoder(handler.request_deserializer),
            handler.response_serializer,
            handler.behaviour,
        )
        decode_here, encode_here = not handler.request_streaming, not handler.response_streaming
        # A stream decodes at its read and encodes at its write: inside of the handler already.
        handler.request_deserializer = None if decode_here else decode
        handler.response_serializer = None if encode_here else encode

        async def wrapped(request: Any, context: Context) -> Any:
            response = await behaviour(decode(request) if decode_here else request, context)
            # A handler that set an error itself may return nothing, and grpc sends nothing then.
            if encode_here and encode is not None and context.code() in (None, grpc.StatusCode.OK):
                return encode(response)
            return response

        handler.behaviour = wrapped


def _decoder(decode: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
    def checked(raw: bytes) -> Any:
        try:
            return raw if decode is None else decode(raw)
        except DecodeError:
            # The library's own text may quote the message.
            raise InvalidRequestError(
                "MALFORMED_MESSAGE", "the request message cannot be decoded; strings must be UTF-8"
            ) from None

    return checked
