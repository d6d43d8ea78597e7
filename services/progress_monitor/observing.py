"""Takes in one picture: cut to the site, held against the earlier ones, measured, kept."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from bankai.errors import InvalidRequestError
from services.progress_monitor.alignment.registration import STILL
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.work import Shown, WorkModel, month_before, quarter_before
from services.progress_monitor.comparison import Comparison, compare
from services.progress_monitor.fingerprint import distance, fingerprint
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.opening import Corners
from services.progress_monitor.imagery.quality import judge
from services.progress_monitor.imagery.question import Question
from services.progress_monitor.imagery.reader import ImageReader
from services.progress_monitor.imagery.sensors import Sensor
from services.progress_monitor.meaning.measures import UNCHANGED, Measures
from services.progress_monitor.observation import MIN_REFERENCE, MIN_USABLE, Observation, Status
from services.progress_monitor.pixels import Findings, PixelStore
from services.progress_monitor.project import DAY_S, Project
from services.progress_monitor.site import Site
from services.progress_monitor.storage.observations import ObservationStore

_SAME_PIXELS = 1e-3
"""Mean difference of reflectance below which two pictures are one: noise alone makes more."""
_SAME_BITS = 4


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was sent.

    Attributes:
        path: Its file.
        sha256: Of the file, hexadecimal.
        acquired: When it was taken, seconds since 1970.
        sensor: Where it comes from.
        bands: Names of its bands; empty to trust the file.
        offset: Digital number that stands for no light; None for what is usual.
        corners: Where it lies, for a file that does not say.
    """

    path: Path
    sha256: str
    acquired: float
    sensor: Sensor
    bands: tuple[str, ...] = ()
    offset: float | None = None
    corners: Corners | None = None


class Observing:
    """Measures pictures.

    Args:
        reader: Cuts pictures.
        model: The change model.
        work: The work model.
        observations: Keeps what was measured.
        pixels: Keeps the pixels.
    """

    def __init__(
        self,
        reader: ImageReader,
        model: ChangeModel,
        work: WorkModel,
        observations: ObservationStore,
        pixels: PixelStore,
    ) -> None:
        self._reader, self._model, self._work = reader, model, work
        self._observations, self._pixels = observations, pixels
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def observe(self, project: Project, picture: Picture, *, timeout: float) -> Observation:  # noqa: ASYNC109  # part of a deadline
        """Takes in a picture; one that is there already is returned as it is.

        Args:
            project: The project.
            picture: The picture.
            timeout: Seconds until the answer is of no use any more.

        Raises:
            InvalidRequestError: What cutting raises, or ACQUIRE_TIME_INVALID.
            BankaiError: As the models and the stores.
        """
        if not 0 < picture.acquired < time.time() + DAY_S:
            raise InvalidRequestError("ACQUIRE_TIME_INVALID", "acquire_time must be there and not lie in the future")
        if (known := _same(await self._observations.of_project(project.id), picture)) is not None:
            return known
        site = await asyncio.to_thread(Site.of, project.aoi)
        question = Question(picture.path, site.grid, picture.sensor, picture.bands, picture.offset, picture.corners)
        chip = await self._reader.cut(question, timeout=timeout)
        async with self._turn(project.id):
            return await self._taken_in(project, site, picture, chip, timeout=timeout)

    async def measure_again(self, project: Project, *, timeout: float) -> int:  # noqa: ASYNC109  # part of a deadline
        """Measures every picture of a project anew; returns how many.

        Raises:
            BankaiError: As the models and the stores.
        """
        site = await asyncio.to_thread(Site.of, project.aoi)
        async with self._turn(project.id):
            return await self._again(project, site, timeout=timeout)

    def _turn(self, project_id: str) -> asyncio.Lock:
        """One picture of a project after the other: each is compared with those before."""
        return self._turns.setdefault(project_id, asyncio.Lock())

    async def _taken_in(
        self,
        project: Project,
        site: Site,
        picture: Picture,
        chip: Chip,
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> Observation:
        known = await self._observations.of_project(project.id)
        if (same := _same(known, picture)) is not None:  # it came meanwhile
            return same
        observation = Observation(
            id=secrets.token_hex(16),
            project_id=project.id,
            acquired=picture.acquired,
            created=time.time(),
            sensor=picture.sensor,
            sha256=picture.sha256,
            fingerprint=fingerprint(chip.reflectance[:3].mean(0)),
            bands=chip.bands,
            status=Status.USED,
            reason="",
            registration=STILL,
            measures=UNCHANGED,
            haze=0.0,
            reference_id="",
            model_version="",
        )
        replayed = await self._replayed(observation, chip, known)
        await self._pixels.put_chip(project.id, observation.id, chip)
        if replayed is not None:
            observation = replace(observation, status=Status.REPLAYED, reason=replayed)
            return await self._observations.put(observation)
        past = [each for each in known if each.acquired <= picture.acquired]
        measured = await self._measured(site, observation, chip, past, timeout=timeout)
        kept = await self._observations.put(measured)
        if measured.status is Status.USED and any(each.acquired > picture.acquired for each in known):
            await self._again(project, site, timeout=timeout)  # later ones are compared with it
        return kept

    async def _again(self, project: Project, site: Site, *, timeout: float) -> int:  # noqa: ASYNC109  # part of a deadline
        past: list[Observation] = []
        for observation in await self._observations.of_project(project.id):
            if observation.status is Status.REPLAYED:
                continue
            chip = await self._pixels.chip(project.id, observation.id)
            fresh = replace(observation, status=Status.USED, reason="")
            past.append(await self._measured(site, fresh, chip, past, timeout=timeout))
            await self._observations.put(past[-1])
        return len(past)

    async def _measured(
        self,
        site: Site,
        observation: Observation,
        chip: Chip,
        past: Sequence[Observation],
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> Observation:
        reference = _reference(past)
        if reference is None:
            usable = judge(chip.reflectance, chip.bands).usable
            share = float(usable[site.frame.site].mean())
            await self._pixels.put_findings(observation.project_id, observation.id, _unchanged(chip, usable))
            measures = replace(UNCHANGED, usable=share)
            if share < MIN_REFERENCE:
                return _obscured(replace(observation, measures=measures, reference_id=""), share, MIN_REFERENCE)
            return replace(observation, measures=measures, reference_id=observation.id, registration=STILL)
        before = await self._pixels.chip(observation.project_id, reference.id)
        seen = await compare(chip, before, site.frame, self._model, timeout=timeout)
        measured = replace(
            observation,
            registration=seen.registration,
            measures=await self._worked(observation, seen, past, site, timeout=timeout),
            haze=seen.haze,
            reference_id=reference.id,
            model_version=seen.model_version,
        )
        await self._pixels.put_findings(observation.project_id, observation.id, _findings(seen))
        share = seen.measures.usable
        if share < MIN_USABLE:
            return _obscured(measured, share, MIN_USABLE)
        if not seen.registration.good:
            reason = (
                f"the picture cannot be laid onto the reference (quality {seen.registration.quality:.2f}, "
                f"shift {seen.registration.shift:.1f} px)"
            )
            return replace(measured, status=Status.NOT_REGISTERED, reason=reason)
        return measured

    async def _worked(
        self,
        observation: Observation,
        seen: Comparison,
        past: Sequence[Observation],
        site: Site,
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> Measures:
        """The measures with what was built since a month and a quarter before."""
        used = [each for each in past if each.status is Status.USED]
        days, day = [each.acquired / DAY_S for each in used], observation.acquired / DAY_S
        now = _shown(_findings(seen))

        async def since(number: int | None) -> float | None:
            if number is None:
                return None
            before = _shown(await self._pixels.findings(observation.project_id, used[number].id))
            return await self._work.worked(now, before, site.frame.site, timeout=timeout)

        return replace(
            seen.measures,
            worked_month=await since(month_before(days, day)),
            worked_quarter=await since(quarter_before(days, day)),
        )

    async def _replayed(self, observation: Observation, chip: Chip, known: Sequence[Observation]) -> str | None:
        """Why a picture is an earlier one under another time; None where it is not."""
        for each in known:
            if each.acquired == observation.acquired:
                continue
            same = each.sha256 == observation.sha256
            if not same and distance(each.fingerprint, observation.fingerprint) <= _SAME_BITS:
                other = await self._pixels.chip(observation.project_id, each.id)
                same = _same_pixels(chip, other)
            if same:
                when = time.strftime("%Y-%m-%d", time.gmtime(each.acquired))
                return f"it is the picture of {when} under another date"
        return None


def _same(known: Sequence[Observation], picture: Picture) -> Observation | None:
    """What is kept of a picture that was sent before."""
    sent = (picture.sha256, picture.acquired)
    return next((each for each in known if (each.sha256, each.acquired) == sent), None)


def _reference(observations: Sequence[Observation]) -> Observation | None:
    """The first picture that counts: the others are compared with it."""
    return next((each for each in observations if each.status is Status.USED and each.reference_id == each.id), None)


def _same_pixels(one: Chip, other: Chip) -> bool:
    both = (one.reflectance > 0) & (other.reflectance > 0)
    if both.mean() < 0.1:
        return False
    return float(np.abs(one.reflectance - other.reflectance)[both].mean()) < _SAME_PIXELS


def _obscured(observation: Observation, share: float, needed: float) -> Observation:
    reason = f"only {share:.0%} of the site can be seen; {needed:.0%} are needed"
    return replace(observation, status=Status.OBSCURED, reason=reason)


def _unchanged(chip: Chip, usable: NDArray[np.bool_]) -> Findings:
    return Findings(chip.reflectance, np.zeros(usable.shape, np.uint8), usable)


def _findings(seen: Comparison) -> Findings:
    return Findings(seen.reflectance, seen.surfaces.argmax(0).astype(np.uint8), seen.usable)


def _shown(findings: Findings) -> Shown:
    return Shown(findings.reflectance, findings.surfaces, findings.usable)
