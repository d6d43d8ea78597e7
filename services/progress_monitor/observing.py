"""Takes in one picture: cut to the site, held against the earlier ones, measured, kept."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bankai.errors import InvalidRequestError
from services.progress_monitor.alignment.registration import STILL
from services.progress_monitor.change.detail import DetailModel
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.work import Shown, WorkModel, month_before, quarter_before
from services.progress_monitor.comparison import Comparison, compare
from services.progress_monitor.detailing import Detailed, detailed
from services.progress_monitor.fingerprint import distance, fingerprint
from services.progress_monitor.grid import Grid
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.opening import Corners
from services.progress_monitor.imagery.quality import judge
from services.progress_monitor.imagery.question import Layer, Question
from services.progress_monitor.imagery.reader import ImageReader
from services.progress_monitor.imagery.sensors import Sensor
from services.progress_monitor.meaning.measures import UNCHANGED, Measures
from services.progress_monitor.observation import MIN_REFERENCE, MIN_USABLE, Observation, Status
from services.progress_monitor.pixels import Findings, PixelStore
from services.progress_monitor.project import DAY_S, Project
from services.progress_monitor.site import Site
from services.progress_monitor.storage.observations import ObservationStore
from services.progress_monitor.storage.turns import Turns

_SAME_PIXELS = 1e-3
"""Mean difference of reflectance below which two pictures are one: noise alone makes more."""
_SAME_BITS = 4


@dataclass(frozen=True, slots=True)
class Origin:
    """Which picture it is.

    Attributes:
        sha256: Of the file, or of the site in it where it was cut out of several; hexadecimal.
        acquired: When it was taken, seconds since 1970.
        sensor: Where it comes from.
    """

    sha256: str
    acquired: float
    sensor: Sensor


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was sent.

    Attributes:
        origin: Which it is.
        path: Its file.
        bands: Names of its bands; empty to trust the file.
        offset: Digital number that stands for no light; None for what is usual.
        corners: Where it lies, for a file that does not say.
    """

    origin: Origin
    path: Path
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
        turns: Keeps pictures of one project apart: each is compared with those before.
        detail: The sub-metre change model; None where it is not served, and every picture is judged at 10 m.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # what it stands on
        self,
        reader: ImageReader,
        model: ChangeModel,
        work: WorkModel,
        observations: ObservationStore,
        pixels: PixelStore,
        turns: Turns,
        detail: DetailModel | None = None,
    ) -> None:
        self._reader, self._model, self._work = reader, model, work
        self._observations, self._pixels = observations, pixels
        self._turns, self._detail = turns, detail

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
        check_acquired(picture.origin.acquired)
        if (known := await self.known(project, picture.origin)) is not None:
            return known
        site = await asyncio.to_thread(Site.of, project.aoi)
        layers = (Layer(picture.path, picture.bands),)
        finer = self.finer_grid(site)
        question = Question(layers, site.grid, picture.origin.sensor, picture.offset, picture.corners, finer)
        chip = await self._reader.cut(question, timeout=timeout)
        return await self.take_in(project, site, picture.origin, chip, timeout=timeout)

    def finer_grid(self, site: Site) -> Grid | None:
        """The grid to which sub-metre colour is cut as well; None where nothing would look at it."""
        return site.detail if self._detail is not None else None

    async def known(self, project: Project, origin: Origin) -> Observation | None:
        """What is kept of a picture that was sent before; None where it was not."""
        return _same(await self._observations.of_project(project.id), origin)

    async def kept(self, project: Project, observation_id: str) -> Observation | None:
        """What is kept of a picture by its id; None where nothing is."""
        known = await self._observations.of_project(project.id)
        return next((each for each in known if each.id == observation_id), None)

    async def take_in(
        self,
        project: Project,
        site: Site,
        origin: Origin,
        chip: Chip,
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> Observation:
        """Takes in a picture that is cut already.

        Args:
            project: The project.
            site: Where it is.
            origin: Which picture it is.
            chip: The site in it.
            timeout: Seconds until the answer is of no use any more.

        Raises:
            BankaiError: As the models and the stores.
        """
        return await self._turns.alone(
            project.id, lambda: self._taken_in(project, site, origin, chip, timeout=timeout), timeout=timeout
        )

    async def measure_again(self, project: Project, *, timeout: float) -> int:  # noqa: ASYNC109  # part of a deadline
        """Measures every picture of a project anew; returns how many.

        Raises:
            BankaiError: As the models and the stores.
        """
        site = await asyncio.to_thread(Site.of, project.aoi)
        return await self._turns.alone(project.id, lambda: self._again(project, site, timeout=timeout), timeout=timeout)

    async def _taken_in(
        self,
        project: Project,
        site: Site,
        origin: Origin,
        chip: Chip,
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> Observation:
        known = await self._observations.of_project(project.id)
        if (same := _same(known, origin)) is not None:  # it came meanwhile
            return same
        observation = Observation(
            id=secrets.token_hex(16),
            project_id=project.id,
            acquired=origin.acquired,
            created=time.time(),
            sensor=origin.sensor,
            sha256=origin.sha256,
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
        twin = await self._twin(observation, chip, known)
        if twin is not None and _apart(twin, observation) < DAY_S:  # it came another way, its time more or less exact
            return twin
        await self._pixels.put_chip(project.id, observation.id, chip)
        if twin is not None:
            when = time.strftime("%Y-%m-%d", time.gmtime(twin.acquired))
            reason = f"it is the picture of {when} under another date"
            return await self._observations.put(replace(observation, status=Status.REPLAYED, reason=reason))
        past = [each for each in known if each.acquired <= origin.acquired]
        measured = await self._measured(site, observation, chip, past, timeout=timeout)
        kept = await self._observations.put(measured)
        if measured.status is Status.USED and any(each.acquired > origin.acquired for each in known):
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
            await self._pixels.put_detail_findings(observation.project_id, observation.id, None)
            measures = replace(UNCHANGED, usable=share)
            if share < MIN_REFERENCE:
                return _obscured(replace(observation, measures=measures, reference_id=""), share, MIN_REFERENCE)
            return replace(observation, measures=measures, reference_id=observation.id, registration=STILL)
        before = await self._pixels.chip(observation.project_id, reference.id)
        seen = await compare(chip, before, site.frame, self._model, timeout=timeout)
        finer = await self._detailed(seen, observation, reference, site, timeout=timeout)
        await self._pixels.put_detail_findings(
            observation.project_id, observation.id, finer.findings if finer is not None else None
        )
        seen = finer.comparison if finer is not None else seen
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

    async def _detailed(
        self,
        seen: Comparison,
        observation: Observation,
        reference: Observation,
        site: Site,
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> Detailed | None:
        """A comparison made finer, where both dates have the detail for it."""
        if self._detail is None or not seen.registration.good:
            return None
        after = await self._pixels.detail(observation.project_id, observation.id)
        before = await self._pixels.detail(observation.project_id, reference.id) if after is not None else None
        if before is None or after is None:
            return None
        return await detailed(seen, (before, after), site, self._detail, timeout=timeout)

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

    async def _twin(self, observation: Observation, chip: Chip, known: Sequence[Observation]) -> Observation | None:
        """Another picture that shows the same pixels: the nearest in time, replays last; None where there is none."""
        for each in sorted(known, key=lambda each: (each.status is Status.REPLAYED, _apart(each, observation))):
            if each.sha256 == observation.sha256:
                return each
            if distance(each.fingerprint, observation.fingerprint) <= _SAME_BITS:
                other = await self._pixels.chip(observation.project_id, each.id)
                if _same_pixels(chip, other):
                    return each
        return None


def _apart(one: Observation, other: Observation) -> float:
    return abs(one.acquired - other.acquired)


def check_acquired(time_s: float) -> None:
    """Refuses a time at which no picture can have been taken.

    Args:
        time_s: Seconds since 1970.

    Raises:
        InvalidRequestError: ACQUIRE_TIME_INVALID.
    """
    if not 0 < time_s < time.time() + DAY_S:
        raise InvalidRequestError("ACQUIRE_TIME_INVALID", "acquire_time must be there and not lie in the future")


def _same(known: Sequence[Observation], origin: Origin) -> Observation | None:
    sent = (origin.sha256, origin.acquired)
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
