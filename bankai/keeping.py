"""What operations erase of what a process keeps: what is due, and what is one customer's.

Each process that keeps something has a module `keeping` with a `keeper()`, which opens its stores by the process's own
settings; `bankai data` calls them all.
"""

import itertools
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Protocol, Self, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

Counts = Mapping[str, int]
"""How many of what."""

_Name = Annotated[str, Field(min_length=1, max_length=128)]
_Channel = Annotated[str, Field(max_length=128)]  # empty where a service has no gateway before it
_Text = Annotated[str, Field(min_length=2, max_length=256)]


class ErasureOrder(BaseModel):
    """What is one customer's, as the bank knows it.

    Attributes:
        reference: The bank's own name of the order, for the receipt: nothing personal.
        documents: Request ids of documents by the channel that sent them.
        projects: Ids of construction projects.
        calls: Ids of phone calls by the channel that they came through.
        texts: What else tells the customer: whatever holds one of these in a field, a name or an answer goes, too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reference: _Name
    documents: Mapping[_Channel, tuple[_Name, ...]] = Field(default_factory=dict)
    projects: tuple[_Name, ...] = ()
    calls: Mapping[_Channel, tuple[_Name, ...]] = Field(default_factory=dict)
    texts: tuple[_Text, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any((self.documents, self.projects, self.calls, self.texts)):
            raise ValueError("documents, projects, calls or texts must say what to erase")
        return self

    def needles(self) -> frozenset[str]:
        """Every id and text of it."""
        named = (*self.documents.values(), *self.calls.values())
        return frozenset((*itertools.chain.from_iterable(named), *self.projects, *self.texts))


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, or would be.

    Attributes:
        counts: How many of what.
        ids: The service's own ids of it, by which answers that were kept elsewhere are found.
    """

    counts: Counts
    ids: frozenset[str] = frozenset()


class Keeper(Protocol):
    """One process's stores. Each method raises UnavailableError where they do not answer."""

    async def sweep(self) -> Counts:
        """Erases what is older than its settings say."""
        ...

    async def find(self, order: ErasureOrder) -> Erased:
        """What an order would erase."""
        ...

    async def erase(self, order: ErasureOrder, ids: frozenset[str]) -> Erased:
        """Erases what an order names.

        Args:
            order: The order.
            ids: What other keepers have erased, by their own ids.
        """
        ...


MODULES: Mapping[str, str] = {
    "intent": "services.intent.keeping",
    "doc_extract": "services.doc_extract.keeping",
    "progress_monitor": "services.progress_monitor.keeping",
    "gateway": "gateway.keeping",
}
"""Where the keepers are. The gateway's comes last: it keeps answers of the others."""


def open_keeper(name: str) -> AbstractAsyncContextManager[Keeper]:
    """The keeper of a process, by that process's settings in the environment.

    Args:
        name: One of `MODULES`.

    Raises:
        SystemExit: With code 2, where a setting is wrong.
        BankaiError: On entering; its database cannot be used.
    """
    return cast("AbstractAsyncContextManager[Keeper]", import_module(MODULES[name]).keeper())
