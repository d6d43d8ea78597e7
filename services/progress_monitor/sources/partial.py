"""Large files of which a little is needed: that lies on disk where it lies in the file, and the rest is a hole."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bankai.errors import InvalidRequestError
from services.progress_monitor.sources.source import PIECE, Source, Stat

Ranges = Sequence[tuple[int, int]]
"""(start, end) of parts of a file."""

HEAD = 512 * 1024
"""Bytes at the beginning of a file that hold what a cloud-optimised GeoTIFF says of itself."""
_GAP = 256 * 1024
"""Bytes that are read and not needed rather than asking a storage once more."""


@asynccontextmanager
async def on_disk(
    sources: Sequence[Source],
    most: int,
    needed: Callable[[Sequence[Path]], Awaitable[Sequence[Ranges | None]]],
) -> AsyncIterator[Sequence[Path]]:
    """Files on this machine that hold what is needed of files that may lie elsewhere; gone at the end.

    Args:
        sources: The files.
        most: Bytes that each may have.
        needed: Says by the files' beginnings what is needed of each; None for all of it.

    Raises:
        InvalidRequestError: IMAGE_TOO_LARGE, or what `needed` raises.
        BankaiError: As the sources.
    """
    stats = [await source.stat() for source in sources]
    if any(stat.size > most for stat in stats):
        raise InvalidRequestError("IMAGE_TOO_LARGE", f"a file is larger than the {most} bytes allowed: cut it")
    if all(source.path is not None for source in sources):
        yield [source.path for source in sources if source.path is not None]
        return
    with tempfile.TemporaryDirectory(prefix="bankai-") as folder:
        paths = [source.path or Path(folder, str(number)) for number, source in enumerate(sources)]
        away = [
            (number, source, stat)
            for number, (source, stat) in enumerate(zip(sources, stats, strict=True))
            if source.path is None
        ]
        for number, source, stat in away:
            await asyncio.to_thread(_make_hole, paths[number], stat.size)
            await _fetch(source, stat, paths[number], [(0, min(HEAD, stat.size))])
        ranges = await needed(paths)
        for number, source, stat in away:
            wanted = ranges[number]
            rest = [(HEAD, stat.size)] if wanted is None else _rest(wanted, stat.size)
            await _fetch(source, stat, paths[number], rest)
        yield paths


def _rest(needed: Ranges, size: int) -> list[tuple[int, int]]:
    """What is needed behind the head, in few parts."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(needed):
        begin, stop = max(start, HEAD), min(end, size)
        if found and begin - found[-1][1] <= _GAP:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        elif begin < stop:
            found.append((begin, stop))
    return found


async def _fetch(source: Source, stat: Stat, path: Path, ranges: Ranges) -> None:
    """Reads parts of a file and writes them to where they lie."""
    with await asyncio.to_thread(path.open, "r+b") as file:
        for start, end in ranges:
            for first in range(start, end, PIECE):
                data = await source.read(first, min(first + PIECE, end), stat)
                file.seek(first)
                await asyncio.to_thread(file.write, data)


def _make_hole(path: Path, size: int) -> None:
    path.touch()
    os.truncate(path, size)
