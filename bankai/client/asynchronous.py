"""The client for programs that run an event loop."""

from typing import Self

from bankai.client.connecting import Access
from bankai.client.documents import DocExtractClient
from bankai.client.intent import IntentClient
from bankai.client.progress import ProgressClient


class AsyncClient:
    """All services behind a gateway. An async context manager, or closed by `close`.

    Args:
        access: Where the gateway is and how to be let in.

    Attributes:
        intent: What callers want and feel.
        documents: Fields of credit documents.
        progress: Construction projects.
    """

    def __init__(self, access: Access) -> None:
        self._channel = access.channel()
        self.intent = IntentClient(self._channel, access.metadata)
        self.documents = DocExtractClient(self._channel, access.metadata)
        self.progress = ProgressClient(self._channel, access.metadata)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; calls under way end."""
        await self._channel.close()
