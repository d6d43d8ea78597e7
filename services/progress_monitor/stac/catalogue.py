"""Reads a static STAC catalogue, collection or collection of items: its own files only, each once, up to a limit."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bankai.errors import InvalidRequestError, NotFoundError
from services.progress_monitor.sources.roots import Roots
from services.progress_monitor.sources.source import pieces
from services.progress_monitor.stac.items import MALFORMED, Wanted, clean, read_item
from services.progress_monitor.stac.places import absolute
from services.progress_monitor.stac.scene import Scene, Skipped

_FIRST_BYTES = 32 * 2**20
"""Of a catalogue's first document, which may hold all its items; those that it links to are small."""
_LINKED_BYTES = 4 * 2**20
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class _Link:
    uri: str
    label: str


@dataclass(slots=True)
class _Page:
    """What a document holds."""

    items: list[Scene | Skipped] = field(default_factory=list)
    links: list[_Link] = field(default_factory=list)


async def read_catalogue(uri: str, roots: Roots, wanted: Wanted, most: int) -> Sequence[Scene | Skipped]:
    """Reads a catalogue with all that it links to as children and items.

    Args:
        uri: Address of its first document.
        roots: What may be read. What lies elsewhere is skipped.
        wanted: Which items are wanted.
        most: Documents and items that it may have.

    Returns:
        What was read of each item, in the catalogue's order.

    Raises:
        InvalidRequestError: CATALOGUE_INVALID, CATALOGUE_TOO_LARGE or URI_NOT_ALLOWED.
        NotFoundError: URI_NOT_FOUND.
        BankaiError: As the sources.
    """
    page = await _page(uri, roots, wanted, _FIRST_BYTES)
    if page is None:
        raise InvalidRequestError(
            "CATALOGUE_INVALID", "uri is no STAC catalogue, collection, collection of items, or item"
        )
    items, waiting, seen, documents = page.items, page.links, {uri}, 1
    while True:
        fresh = {link.uri: link for link in waiting if link.uri not in seen}  # links may go in circles
        batch = list(fresh.values())[:_AT_ONCE]
        if documents + len(fresh) + len(items) > most:
            raise InvalidRequestError(
                "CATALOGUE_TOO_LARGE",
                f"the catalogue has more than {most} documents and items: name a part of it",
            )
        if not batch:
            return items
        waiting = list(fresh.values())[len(batch) :]
        for link, found in zip(
            batch, await asyncio.gather(*(_linked(link, roots, wanted) for link in batch)), strict=True
        ):
            seen.add(link.uri)
            documents += 1
            items += found.items
            waiting += found.links


async def _linked(link: _Link, roots: Roots, wanted: Wanted) -> _Page:
    """What a linked document holds; one that cannot be read stands for an item that is skipped."""
    try:
        page = await _page(link.uri, roots, wanted, _LINKED_BYTES)
    except (InvalidRequestError, NotFoundError) as error:
        return _Page([Skipped(link.label, error.reason, error.message)])
    return page or _Page([Skipped(link.label, "ITEM_INVALID", "the document is not as STAC describes one")])


async def _page(uri: str, roots: Roots, wanted: Wanted, most: int) -> _Page | None:
    """What a document holds; None where it is not STAC."""
    source = await roots.source(uri)
    stat = await source.stat()
    if stat.size > most:
        raise InvalidRequestError("CATALOGUE_TOO_LARGE", f"a document of the catalogue has more than {most} bytes")
    data = b"".join([piece async for piece in pieces(source, stat)])
    return await asyncio.to_thread(_parsed, data, uri, wanted)


def _parsed(data: bytes, uri: str, wanted: Wanted) -> _Page | None:
    try:
        document = json.loads(data)
        kind = document["type"]
        if kind == "Feature":
            return _Page([read_item(document, uri, wanted)])
        if kind == "FeatureCollection":
            return _Page([read_item(each, uri, wanted) for each in document["features"]])
        if kind in {"Catalog", "Collection"}:
            return _Page(links=[_link(each, uri) for each in document["links"] if each["rel"] in {"child", "item"}])
    except MALFORMED:
        return None
    return None


def _link(link: dict[str, Any], uri: str) -> _Link:
    """A link of a catalogue. Not through pystac's objects: these read what they link to from wherever it lies."""
    return _Link(absolute(link["href"], uri), clean(link.get("title") or link["href"]))
