"""Makes backups, verifies them and puts them back.

A database is copied first, and its blobs after it: whatever a row of the copy refers to had been stored before, and is
missing only where it has been erased meanwhile. Restoring goes the other way, so that a database is there only once
all that it refers to is.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bankai.backup import databases
from bankai.backup.blob_copies import Advance, copy_kept, copy_referenced, unsound, wrong
from bankai.backup.holdings import Holdings, Reference
from bankai.backup.manifest import FILE, BlobCopies, DatabaseCopy, Manifest, digest, read
from bankai.blobs import Blobs
from bankai.errors import ConflictError, InvalidRequestError
from bankai.store import Database


async def create(folder: Path, holdings: Mapping[str, Holdings], advance: Advance, *, with_blobs: bool) -> Manifest:
    """Copies all that services keep, while they may go on.

    Args:
        folder: Where to; made where it is missing, and must be empty.
        holdings: What the services keep, by their names.
        advance: Hears of each blob.
        with_blobs: Whether blobs are copied, too.

    Raises:
        ConflictError: TARGET_NOT_EMPTY.
        NotFoundError, FaultError, UnavailableError: A database or its blobs cannot be copied.
    """
    _make(folder)
    together: dict[str, list[str]] = defaultdict(list)
    for name, kept in holdings.items():
        together[kept.database_url].append(name)
    copies: list[DatabaseCopy] = []
    references: dict[str, Sequence[Reference]] = {}
    for url, names in together.items():
        copy = folder / f"{'+'.join(names)}.{databases.kind(url)}"
        async with databases.copied(url, copy) as connection:
            for name in names:
                references[name] = await holdings[name].references(connection)
        copies.append(
            DatabaseCopy(file=copy.name, kind=databases.kind(url), components=tuple(names), sha256=digest(copy))
        )
    blobs: list[BlobCopies] = []
    for name, referred in references.items() if with_blobs else ():
        source, target = Blobs(holdings[name].blobs_url), Blobs(str(folder / name / "blobs"))
        blobs.append(await copy_referenced(source, target, referred, name, advance))
    manifest = Manifest(
        made=datetime.now(UTC).isoformat(timespec="seconds"), databases=tuple(copies), blobs=tuple(blobs)
    )
    manifest.write(folder)
    return manifest


async def verify(folder: Path, advance: Advance) -> list[str]:
    """What is wrong with a backup; nothing where all of it is as it was made.

    Raises:
        InvalidRequestError: BACKUP_INVALID.
    """
    manifest = read(folder)
    problems = [
        f"{copy.file} is missing or has changed"
        for copy in manifest.databases
        if not (folder / copy.file).is_file() or digest(folder / copy.file) != copy.sha256
    ]
    for copies in manifest.blobs:
        found = await wrong(Blobs(str(folder / copies.folder)), copies, advance)
        problems += [f"{copies.folder}/{key} is missing or has changed" for key in found]
    return problems


async def check(holdings: Mapping[str, Holdings], advance: Advance) -> list[str]:
    """What is wrong with what services keep: blobs that rows refer to and that are missing or damaged.

    Args:
        holdings: What the services keep, by their names.
        advance: Hears of each blob.

    Raises:
        UnavailableError: A database or its blobs cannot be read.
    """
    problems = []
    for name, kept in holdings.items():
        database = Database(kept.database_url)
        try:
            async with database.read() as connection:
                referred = await kept.references(connection)
            found = await unsound(Blobs(kept.blobs_url), referred, advance)
            async with database.read() as connection:  # what was erased meanwhile is no problem
                still = {each.key for each in await kept.references(connection)}
        finally:
            await database.close()
        problems += sorted(f"{name}: {key} is {what}" for key, what in found.items() if key in still)
    return problems


async def restore(folder: Path, holdings: Mapping[str, Holdings], advance: Advance) -> Manifest:
    """Puts a backup where nothing is.

    Args:
        folder: The backup.
        holdings: Where the services keep things now, by their names.
        advance: Hears of each blob, once when it is verified and once when it is restored.

    Raises:
        InvalidRequestError: BACKUP_INVALID: it is none, has changed, or is not of these services and databases.
        ConflictError: TARGET_NOT_EMPTY.
        FaultError, UnavailableError: A database or its blobs cannot be restored.
    """
    manifest = read(folder)
    if problems := await verify(folder, advance):
        raise InvalidRequestError("BACKUP_INVALID", f"{folder}: {problems[0]}, and {len(problems) - 1} more")
    targets = {copy.file: _target(copy, holdings) for copy in manifest.databases}
    for url in targets.values():
        await databases.check_empty(url)
    for copies in manifest.blobs:
        target = Blobs(holdings[copies.component].blobs_url)
        async for _ in target.entries():
            where = holdings[copies.component].blobs_url
            raise ConflictError("TARGET_NOT_EMPTY", f"{where} is not empty: restore into an empty one")
        await copy_kept(Blobs(str(folder / copies.folder)), target, copies, advance)
    for file, url in targets.items():
        await databases.restore(folder / file, url)
    return manifest


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ConflictError("TARGET_NOT_EMPTY", f"{folder} is not empty: name another folder")


def _target(copy: DatabaseCopy, holdings: Mapping[str, Holdings]) -> str:
    """Where a database goes: what was one stays one, of the kind that it was."""
    urls = {holdings[name].database_url if name in holdings else "" for name in copy.components}
    if len(urls) != 1 or "" in urls or databases.kind(next(iter(urls))) != copy.kind:
        raise InvalidRequestError(
            "BACKUP_INVALID",
            f"{FILE} holds one {copy.kind} database of {' and '.join(copy.components)}; the settings name something "
            "else for it",
        )
    return urls.pop()
