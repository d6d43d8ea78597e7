"""Takes in what a STAC catalogue holds of a site: one item after the other, in order of time."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from bankai.errors import InvalidRequestError, NotFoundError, UnavailableError
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.question import Layer, Question
from services.progress_monitor.imagery.reader import ImageReader
from services.progress_monitor.imagery.sensors import Sensor
from services.progress_monitor.observation import Observation
from services.progress_monitor.observing import Observing, Origin, check_acquired
from services.progress_monitor.project import Project
from services.progress_monitor.settings import LimitSettings
from services.progress_monitor.site import Site
from services.progress_monitor.sources.partial import Ranges, on_disk
from services.progress_monitor.sources.roots import Roots
from services.progress_monitor.sources.source import Source
from services.progress_monitor.stac.catalogue import read_catalogue
from services.progress_monitor.stac.items import Wanted
from services.progress_monitor.stac.scene import Scene, Skipped
from services.progress_monitor.storage.imports import Imported, ImportStore


class ImportStatus(StrEnum):
    """What became of an item."""

    IMPORTED = "imported"
    ALREADY_THERE = "already_there"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item.

    Attributes:
        item_id: Id of the item; of one that cannot be read, what the catalogue calls it.
        status: What.
        items: Items of the catalogue.
        reason: Why it was skipped.
        message: The same for people.
        observation: What it shows; None where it was skipped.
    """

    item_id: str
    status: ImportStatus
    items: int
    reason: str = ""
    message: str = ""
    observation: Observation | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is to be imported.

    Attributes:
        uri: Address of the catalogue's first document.
        start: Only items taken at or after this, seconds since 1970.
        end: And at or before this.
        sensor: Where they come from; None for what they say.
    """

    uri: str
    start: float
    end: float
    sensor: Sensor | None


class Importing:
    """Imports catalogues.

    Args:
        roots: Files that may be read.
        reader: Cuts pictures.
        observing: Measures them.
        imports: Keeps which items were imported.
        limits: What callers may ask for.
        draining: Set when the service is about to stop.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # what it stands on
        self,
        roots: Roots,
        reader: ImageReader,
        observing: Observing,
        imports: ImportStore,
        limits: LimitSettings,
        draining: asyncio.Event,
    ) -> None:
        self._roots, self._reader, self._observing, self._imports = roots, reader, observing, imports
        self._limits, self._draining = limits, draining

    async def run(self, project: Project, catalogue: Catalogue, *, timeout: float) -> AsyncIterator[Outcome]:  # noqa: ASYNC109  # part of a deadline
        """Imports a catalogue. What is imported stays, however this ends: the same call again goes on.

        Args:
            project: The project.
            catalogue: What is to be imported.
            timeout: Seconds until the answer is of no use any more.

        Yields:
            What became of each item: first those that are skipped unread, then the others in order of time.

        Raises:
            InvalidRequestError: CATALOGUE_INVALID, CATALOGUE_TOO_LARGE or URI_NOT_ALLOWED.
            NotFoundError: URI_NOT_FOUND.
            UnavailableError: IMPORT_INTERRUPTED.
            BankaiError: As the sources, the models and the stores.
        """
        end = asyncio.get_running_loop().time() + timeout
        site = await asyncio.to_thread(Site.of, project.aoi)
        wanted = Wanted(site.aoi.polygon, catalogue.start, catalogue.end, catalogue.sensor)
        found = await read_catalogue(catalogue.uri, self._roots, wanted, self._limits.catalogue_items)
        for each in found:
            if isinstance(each, Skipped):
                yield Outcome(each.id, ImportStatus.SKIPPED, len(found), each.reason, each.message)
        scenes = [each for each in found if isinstance(each, Scene)]
        for scene in sorted(scenes, key=lambda each: (each.acquired, each.id)):
            if self._draining.is_set():
                raise UnavailableError(
                    "IMPORT_INTERRUPTED", "the service stops: import again, what is there stays", retry_after=1.0
                )
            longest = min(self._limits.observe_s, end - asyncio.get_running_loop().time())
            try:
                status, observation = await self._imported(project, site, scene, timeout=longest)
            except (InvalidRequestError, NotFoundError) as error:
                if error.reason == "PROJECT_NOT_FOUND":  # it was erased meanwhile
                    raise
                yield Outcome(scene.id, ImportStatus.SKIPPED, len(found), error.reason, error.message)
            else:
                yield Outcome(scene.id, status, len(found), observation=observation)

    async def _imported(
        self,
        project: Project,
        site: Site,
        scene: Scene,
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> tuple[ImportStatus, Observation]:
        check_acquired(scene.acquired)
        sources = [await self._roots.source(file.uri) for file in scene.files]
        state = await _state(scene, sources)
        before = await self._imports.get(project.id, scene.collection, scene.id)
        kept = None if before is None else await self._observing.kept(project, before.observation_id)
        if before is not None and kept is not None and before.state == state:
            return ImportStatus.ALREADY_THERE, kept
        chip = await self._cut(scene, sources, site, timeout=timeout)
        origin = Origin(_content(chip), scene.acquired, scene.sensor)
        if before is not None and before.content != origin.sha256:
            # A decision may stand on what was measured: it does not change under it.
            raise InvalidRequestError(
                "ITEM_CHANGED", "the item was imported before and shows something else now; what was measured stays"
            )
        known = await self._observing.known(project, origin)
        observation = await self._observing.take_in(project, site, origin, chip, timeout=timeout)
        await self._imports.put(project.id, scene.collection, scene.id, Imported(state, origin.sha256, observation.id))
        # The same picture may have come another way.
        new = known is None and observation.sha256 == origin.sha256
        return ImportStatus.IMPORTED if new else ImportStatus.ALREADY_THERE, observation

    async def _cut(
        self,
        scene: Scene,
        sources: Sequence[Source],
        site: Site,
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> Chip:
        finer = self._observing.finer_grid(site)

        def question(paths: Sequence[Path]) -> Question:
            files = zip(paths, scene.files, strict=True)
            layers = tuple(Layer(path, file.bands, file.calibrations) for path, file in files)
            return Question(layers, site.grid, scene.sensor, scene.offset, detail=finer)

        async def needed(paths: Sequence[Path]) -> Sequence[Ranges | None]:
            return await self._reader.extents(question(paths), timeout=timeout)

        async with on_disk(sources, self._limits.image_bytes, needed) as paths:
            return await self._reader.cut(question(paths), timeout=timeout)


async def _state(scene: Scene, sources: Sequence[Source]) -> str:
    """Another one where the item says something else or one of its files is another; costs no reading."""
    stats = [asdict(await source.stat()) for source in sources]
    return hashlib.sha256(json.dumps([asdict(replace(scene, id="", collection="")), stats]).encode()).hexdigest()


def _content(chip: Chip) -> str:
    """Hash of the site in a picture."""
    return hashlib.sha256(bytes(chip.bands) + chip.reflectance.tobytes()).hexdigest()
