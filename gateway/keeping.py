"""What operations do with what the gateway keeps, answers by idempotency key; see `bankai.keeping`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic_settings import BaseSettings

from bankai.keeping import Counts, Erased, ErasureOrder
from bankai.settings import environment, load
from gateway.audit.settings import AuditSettings
from gateway.idempotency.settings import IdempotencySettings
from gateway.idempotency.store import AnswerStore

_AT_ONCE = 100


class StoreSettings(BaseSettings):
    """The gateway's settings of what it keeps; the others are the gateway's own.

    Attributes:
        audit: Where every call is recorded.
        idempotency: Where answers are kept.
    """

    model_config = environment("GATEWAY")

    audit: AuditSettings | None = None
    idempotency: IdempotencySettings | None = None


class AnswerKeeper:
    """Answers by idempotency key.

    Args:
        store: Where they are; None where none are kept.
    """

    def __init__(self, store: AnswerStore | None) -> None:
        self._store = store

    async def sweep(self) -> Counts:
        """See `Keeper`."""
        return {"answers": await self._store.sweep() if self._store else 0}

    async def find(self, order: ErasureOrder) -> Erased:
        """See `Keeper`. Answers that hold ids which only other keepers know are not counted."""
        return Erased({"answers": await self._store.holding(sorted(order.needles())) if self._store else 0})

    async def erase(self, order: ErasureOrder, ids: frozenset[str]) -> Erased:
        """See `Keeper`. The gateway reads no messages: an answer goes that holds one of the ids or texts anywhere."""
        if self._store is None:
            return Erased({"answers": 0})
        wanted, count = sorted(order.needles() | ids), 0
        for begin in range(0, len(wanted), _AT_ONCE):
            count += await self._store.forget(wanted[begin : begin + _AT_ONCE])
        return Erased({"answers": count})


def store_settings() -> StoreSettings:
    """The settings in the environment.

    Raises:
        SystemExit: With code 2, where one is wrong.
    """
    return load(StoreSettings, whole=False)


@asynccontextmanager
async def keeper() -> AsyncIterator[AnswerKeeper]:
    """The keeper by the settings in the environment."""
    settings = store_settings().idempotency
    store = AnswerStore(settings) if settings else None
    try:
        yield AnswerKeeper(store)
    finally:
        if store is not None:
            await store.close()
