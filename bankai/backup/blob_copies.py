"""Copies blobs from one place to another, many at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import sha256

from bankai.backup.holdings import Reference
from bankai.backup.manifest import BlobCopies
from bankai.blobs import Blobs

_AT_ONCE = 16

Advance = Callable[[], None]
"""Hears of each blob that is done."""


async def copy_referenced(
    source: Blobs, target: Blobs, references: Sequence[Reference], component: str, advance: Advance
) -> BlobCopies:
    """Copies the blobs that rows refer to.

    Raises:
        UnavailableError: BLOBS_UNAVAILABLE.
    """
    hashes, missing, damaged = {}, [], []
    async for reference, data in _each(source, references):
        advance()
        if data is None:
            if reference.needed:
                missing.append(reference.key)
            continue
        hashes[reference.key] = sha256(data).hexdigest()
        if reference.sha256 and reference.sha256 != hashes[reference.key]:
            damaged.append(reference.key)
        await target.put(reference.key, data)
    return BlobCopies(
        component=component,
        folder=f"{component}/blobs",
        hashes=hashes,
        missing=tuple(sorted(missing)),
        damaged=tuple(sorted(damaged)),
    )


async def copy_kept(source: Blobs, target: Blobs, copies: BlobCopies, advance: Advance) -> None:
    """Copies blobs out of a backup.

    Raises:
        UnavailableError: BLOBS_UNAVAILABLE.
    """
    async for reference, data in _each(source, [Reference(key) for key in copies.hashes]):
        if data is not None:
            await target.put(reference.key, data)
        advance()


async def wrong(source: Blobs, copies: BlobCopies, advance: Advance) -> list[str]:
    """Keys of a backup whose blob is not there, or is not what was copied."""
    found = []
    async for reference, data in _each(source, [Reference(key) for key in copies.hashes]):
        if data is None or sha256(data).hexdigest() != copies.hashes[reference.key]:
            found.append(reference.key)
        advance()
    return sorted(found)


async def unsound(source: Blobs, references: Sequence[Reference], advance: Advance) -> dict[str, str]:
    """What is wrong, by key, with the blobs that rows refer to: "missing" or "damaged".

    Raises:
        UnavailableError: BLOBS_UNAVAILABLE.
    """
    found = {}
    async for reference, data in _each(source, references):
        if data is None:
            if reference.needed:
                found[reference.key] = "missing"
        elif reference.sha256 and reference.sha256 != sha256(data).hexdigest():
            found[reference.key] = "damaged"
        advance()
    return found


async def _each(source: Blobs, references: Sequence[Reference]) -> AsyncIterator[tuple[Reference, bytes | None]]:
    """Every blob, of which a few are read ahead."""
    for begin in range(0, len(references), _AT_ONCE):
        some = references[begin : begin + _AT_ONCE]
        for reference, data in zip(some, await asyncio.gather(*(source.get(each.key) for each in some)), strict=True):
            yield reference, data
