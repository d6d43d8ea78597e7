"""Server-sent events: how a stream of messages is told."""

from aiohttp import web

CONTENT_TYPE = "text/event-stream"


class EventStream:
    """Writes the events of one answer. A slow reader holds up `message`, and with it who calls it.

    Args:
        request: The request to answer.
    """

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._response: web.StreamResponse | None = None
        self._count = 0

    @property
    def response(self) -> web.StreamResponse | None:
        """The answer, once something was written."""
        return self._response

    async def message(self, json: str) -> None:
        """Tells a message, numbered from 1."""
        self._count += 1
        await self._write(f"id: {self._count}\ndata: {json}\n\n")

    async def error(self, json: str) -> web.StreamResponse:
        """Tells that the call has failed, and how. The last event."""
        return await self._write(f"event: error\ndata: {json}\n\n")

    async def end(self) -> web.StreamResponse:
        """Tells that all messages were told. The last event."""
        # Without data, browsers would not tell of the event.
        return await self._write("event: end\ndata: {}\n\n")

    async def heartbeat(self) -> None:
        """Writes a comment, which no client takes for an event."""
        await self._write(":\n\n")

    async def _write(self, text: str) -> web.StreamResponse:
        if self._response is None:
            # "X-Accel-Buffering" keeps nginx and its kin from holding events back.
            headers = {"Content-Type": CONTENT_TYPE, "X-Accel-Buffering": "no"}
            self._response = web.StreamResponse(headers=headers)
            await self._response.prepare(self._request)
        await self._response.write(text.encode())
        return self._response
