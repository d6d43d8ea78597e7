"""Judges stage and progress on sites whose course is known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bankai.evaluation.inputs import BadInputError
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.work import Shown, WorkModel, month_before, quarter_before
from services.progress_monitor.comparison import compare
from services.progress_monitor.evaluation.pictures import opened_picture, probable_sensor, read_date
from services.progress_monitor.imagery.cutting import Chip, cut
from services.progress_monitor.imagery.quality import judge
from services.progress_monitor.imagery.question import Layer, Question
from services.progress_monitor.meaning.evidence import EvidenceModel
from services.progress_monitor.meaning.measures import UNCHANGED, Measures
from services.progress_monitor.meaning.stages import Stage
from services.progress_monitor.meaning.states import Belief, StateModel, blank
from services.progress_monitor.observation import MIN_REFERENCE, MIN_USABLE
from services.progress_monitor.project import DAY_S
from services.progress_monitor.site import Frame, Site
from services.progress_monitor.site_files import NAME, SiteFile, read_site

_TIMEOUT_S = 600.0
_NEAR_PX = 3
_STEP_BACK = 0.05
"""Fall of progress between two dates that is a regression."""


@dataclass(frozen=True, slots=True)
class Models:
    """What a site is judged with.

    Attributes:
        change: The change model.
        work: The work model.
        evidence: The state model's first half.
        states: Its second.
    """

    change: ChangeModel
    work: WorkModel
    evidence: EvidenceModel
    states: StateModel


@dataclass(frozen=True, slots=True)
class Look:
    """What a date that counts shows.

    Attributes:
        time: When its picture was taken, seconds since 1970.
        measures: The site in numbers.
        shown: Its pixels.
    """

    time: float
    measures: Measures
    shown: Shown

    @property
    def day(self) -> float:
        """The same in days."""
        return self.time / DAY_S


@dataclass(frozen=True, slots=True)
class JudgedSite:
    """How one site went; times in days.

    Attributes:
        right_stage: For each date of the truth, whether its stage is right.
        errors: For each date whose progress is known, the error.
        covered: For each of those, whether the 80 % interval holds it.
        start_error: Days between the found and the true start; None where one of them is not there.
        finish_error: The same of the finish.
        regressions: Dates on which stage or progress fell where the truth did not.
    """

    right_stage: Sequence[bool]
    errors: Sequence[float]
    covered: Sequence[bool]
    start_error: float | None
    finish_error: float | None
    regressions: int


def sites_of(folder: Path) -> list[Path]:
    """The folder itself where it holds a site.json, else its sub-folders that do.

    Raises:
        BadInputError: There is none.
    """
    if (folder / NAME).exists():
        return [folder]
    found = sorted(path.parent for path in folder.glob(f"*/{NAME}"))
    if not found:
        raise BadInputError(folder, None, f"must hold a {NAME}, or folders that do")
    return found


async def judge_site(folder: Path, models: Models) -> JudgedSite:
    """Judges one site.

    Raises:
        BadInputError: One of its files cannot be read.
    """
    site = read_site(folder)
    frame, looks = await looks_of(site, models.change)
    measures = await with_work(looks, frame.site, models.work)
    times = [each.time for each in looks]
    evidence = await models.evidence.evidence([each.day for each in looks], measures, timeout=_TIMEOUT_S)
    # What is believed of a day without a usable picture is what its neighbours leave possible.
    blanks = [blank(each.time / DAY_S) for each in site.truth if each.time not in times]
    evidence = sorted([*evidence, *blanks], key=lambda each: each.day)
    return compared(site, [each.day for each in evidence], models.states.smoothed(evidence))


async def looks_of(site: SiteFile, model: ChangeModel) -> tuple[Frame, list[Look]]:
    """A site and its dates that count, from the first clear one on: that is the reference, as in the service.

    Raises:
        BadInputError: One of its files cannot be read.
    """
    frame, chips = _chips(site)
    first = max(chips[: max(1, len(chips) // 3)], key=lambda chip: _clear(chip, frame))
    reference = next((chip for chip in chips if _clear(chip, frame) >= MIN_REFERENCE), first)
    usable = judge(reference.reflectance, reference.bands).usable
    number = next(number for number, chip in enumerate(chips) if chip is reference)
    measures = replace(UNCHANGED, usable=float(usable[frame.site].mean()))
    shown = Shown(reference.reflectance, np.zeros(usable.shape, np.uint8), usable)
    looks = [Look(site.pictures[number].time, measures, shown)]
    for picture, chip in zip(site.pictures[number + 1 :], chips[number + 1 :], strict=True):
        seen = await compare(chip, reference, frame, model, timeout=_TIMEOUT_S)
        if seen.registration.good and seen.measures.usable >= MIN_USABLE:
            shown = Shown(seen.reflectance, seen.surfaces.argmax(0).astype(np.uint8), seen.usable)
            looks.append(Look(picture.time, seen.measures, shown))
    return frame, looks


async def with_work(looks: Sequence[Look], site: NDArray[np.bool_], model: WorkModel) -> list[Measures]:
    """The measures of dates, with what was built since a month and a quarter before, as in the service.

    Args:
        looks: The dates, in order.
        site: Pixels of the site.
        model: The work model.

    Raises:
        BankaiError: As the model.
    """
    days = [each.day for each in looks]

    async def since(now: Look, number: int | None) -> float | None:
        if number is None:
            return None
        return await model.worked(now.shown, looks[number].shown, site, timeout=_TIMEOUT_S)

    return [
        replace(
            look.measures,
            worked_month=await since(look, month_before(days[:number], look.day)),
            worked_quarter=await since(look, quarter_before(days[:number], look.day)),
        )
        for number, look in enumerate(looks)
    ]


def compared(site: SiteFile, days: Sequence[float], beliefs: Sequence[Belief]) -> JudgedSite:
    """Holds beliefs against a site's truth; each date is judged by the last belief up to it."""
    right, errors, covered = [], [], []
    regressions = 0
    last: Belief | None = None
    for truth in site.truth:
        number = max(0, int(np.searchsorted(days, truth.time / DAY_S + 0.5)) - 1)
        belief = beliefs[number]
        right.append(belief.stage == truth.stage)
        if truth.progress is not None:
            low, high = belief.interval()
            errors.append(abs(belief.progress - truth.progress))
            covered.append(low - 0.005 <= truth.progress <= high + 0.005)
        if last is not None and (belief.stage < last.stage or belief.progress < last.progress - _STEP_BACK):
            regressions += 1
        last = belief
    stages = [each.stage for each in beliefs]
    true_days = [each.time / DAY_S for each in site.truth]
    true_stages = [each.stage for each in site.truth]
    return JudgedSite(
        right,
        errors,
        covered,
        _apart(_first(days, stages, Stage.CLEARING), _first(true_days, true_stages, Stage.CLEARING)),
        _apart(_first(days, stages, Stage.COMPLETE), _first(true_days, true_stages, Stage.COMPLETE)),
        regressions,
    )


def metrics(judged: Sequence[JudgedSite]) -> dict[str, float | int | None]:
    """The metrics over all sites, their dates taken together."""
    right = [each for site in judged for each in site.right_stage]
    errors = [each for site in judged for each in site.errors]
    covered = [each for site in judged for each in site.covered]
    starts = [site.start_error for site in judged if site.start_error is not None]
    finishes = [site.finish_error for site in judged if site.finish_error is not None]
    return {
        "n_dates": len(right),
        "stage_acc": _mean(right),
        "progress_mae": _mean(errors),
        "start_day_error": _mean(starts),
        "finish_day_error": _mean(finishes),
        "false_regressions": sum(site.regressions for site in judged),
        "interval_coverage": _mean(covered),
    }


def _chips(site: SiteFile) -> tuple[Frame, list[Chip]]:
    if site.mask is not None:
        return _in_pixels(site, site.mask)
    place = Site.of(site.aoi)
    chips = []
    for picture in site.pictures:
        with opened_picture(picture.path) as dataset:
            sensor = picture.sensor or probable_sensor(dataset)
            chips.append(cut([dataset], Question((Layer(picture.path),), place.grid, sensor)))
    return place.frame, chips


def _in_pixels(site: SiteFile, file: Path) -> tuple[Frame, list[Chip]]:
    """Site and pictures on the mask's own pixels."""
    mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise BadInputError(file, None, "is no readable picture")
    inside = np.asarray(mask > 0)
    near = cv2.dilate(inside.astype(np.uint8), np.ones((2 * _NEAR_PX + 1,) * 2, np.uint8)).astype(bool)
    shape = (inside.shape[0], inside.shape[1])
    return Frame(inside, ~near), [read_date([each.path], each.sensor, shape) for each in site.pictures]


def _clear(chip: Chip, frame: Frame) -> float:
    return float(judge(chip.reflectance, chip.bands).usable[frame.site].mean())


def _first(days: Sequence[float], stages: Sequence[Stage], stage: Stage) -> float | None:
    return next((day for day, each in zip(days, stages, strict=True) if each >= stage), None)


def _apart(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else abs(one - other)


def _mean(values: Sequence[float | bool]) -> float | None:
    return float(np.mean(values)) if values else None
