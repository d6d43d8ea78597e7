"""A hidden Markov model over a project's dates: what single dates suggest becomes one course that makes sense.

The hidden state is a stage, a level of progress, whether work rests, and the site's own pace. Stage and level mostly
advance; going back is possible but takes strong evidence, so that glint, haze or a harvest cannot undo a building.
Forward-backward after Rabiner (1989).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.progress_monitor.meaning.stages import Stage

LEVELS = 51
"""Levels of progress, from 0 to 1."""

_GRID = np.linspace(0.0, 1.0, LEVELS)
_IMPOSSIBLE = 0.004
"""A stage that is rarer than this at a level of progress is no state."""
_START_PER_DAY = 1 / 260
"""Chance that work begins on a day, where it has not."""
_PAUSE_PER_DAY = 1 / 300
"""Chance that work comes to rest on a day, where it goes on."""
_RESUME_PER_DAY = 1 / 200
"""Chance that it goes on again on a day, where it rests."""
_PACES = (160.0, 250.0, 350.0, 480.0, 700.0)
"""Working days that whole projects take; each site keeps to one."""
_UNSTEADY_DAYS = 40.0
"""Days of work over which the pace varies by as much as itself."""
_STEPS = np.array((-1.534, -0.887, -0.489, -0.157, 0.157, 0.489, 0.887, 1.534))
"""Middles of the eighths of a normal distribution."""
_BACK = 2e-4
"""Chance of any lower state at the next date: buildings are torn down, too."""
_HARDLY = 1e-7
"""Chance of any higher level, however far."""
_SMALLEST_DEVIATION = 0.02
LEAST_ACTIVITY = 0.004
"""Added to activity before its logarithm is taken."""
_MOST_SAY = 20.0
"""How much more probable one date's activity may make rest than work, or the reverse."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one date suggests.

    Attributes:
        day: Day of the picture.
        stages: Probability of each stage; [6].
        progress: Mean of the progress.
        deviation: Its standard deviation.
        weight: How much the date counts, in [0, 1]: the usable share of the site.
        activity: Share of the site that was built on since about a month before; None where that is not known.
    """

    day: float
    stages: NDArray[np.float64]
    progress: float
    deviation: float
    weight: float
    activity: float | None = None


def blank(day: float) -> Evidence:
    """A day on which nothing was seen."""
    return Evidence(day, np.full(len(Stage), 1 / len(Stage)), 0.5, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Activity:
    """How activity is distributed: its logarithm normally.

    Attributes:
        mean: Mean of the logarithm.
        deviation: Its standard deviation.
    """

    mean: float
    deviation: float

    def density(self, activity: float) -> float:
        """Density of an activity, but for a factor that all share."""
        away = (np.log(activity + LEAST_ACTIVITY) - self.mean) / self.deviation
        return float((1 + away**2 / 4) ** -2.5 / self.deviation)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was learned about the evidence.

    Attributes:
        stage_given_progress: Share of each stage at each level; [LEVELS, 6].
        stage_share: Share of each stage among the dates that the evidence was learned from; [6].
        time_at_progress: Share of the working time that has passed at each level; [LEVELS].
        trust: Exponent on the evidence of the progress: dates of one site err together, so each counts less than it
            claims.
        resting: Activity while nothing is built.
        working: Activity while something is.
    """

    stage_given_progress: NDArray[np.float64]
    stage_share: NDArray[np.float64]
    time_at_progress: NDArray[np.float64]
    trust: float
    resting: Activity
    working: Activity


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one date.

    Attributes:
        day: The day.
        stages: Probability of each stage; [6].
        levels: Probability of each level of progress; [LEVELS].
    """

    day: float
    stages: NDArray[np.float64]
    levels: NDArray[np.float64]

    @property
    def stage(self) -> Stage:
        """The most probable stage."""
        return Stage(int(self.stages.argmax()))

    @property
    def progress(self) -> float:
        """Expected progress."""
        return float(self.levels @ _GRID)

    def interval(self, mass: float = 0.8) -> tuple[float, float]:
        """The central interval that holds this much probability."""
        reached = np.cumsum(self.levels)
        low = float(np.interp((1 - mass) / 2, reached, _GRID))
        high = float(np.interp((1 + mass) / 2, reached, _GRID))
        return min(low, self.progress), max(high, self.progress)


class StateModel:
    """Turns evidence into beliefs. Weights of states are kept as [paces, states].

    Args:
        parameters: What was learned.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        share = parameters.stage_given_progress
        level, stage = np.nonzero(share > _IMPOSSIBLE)
        can_rest = (stage > Stage.NOT_STARTED) & (stage < Stage.COMPLETE)
        self._works = len(level)  # so many states at work come first, then those at rest
        self._level = np.concatenate((level, level[can_rest]))
        self._stage = np.concatenate((stage, stage[can_rest]))
        self._rests = np.arange(len(self._level)) >= self._works
        # Clearing hardly shows as building.
        self._idle = self._rests | (self._stage <= Stage.CLEARING) | (self._stage == Stage.COMPLETE)
        self._compatible = share[self._level, self._stage]
        self._onward = self._compatible * (self._stage[None, :] >= self._stage[:, None])
        self._prior = self._begin()

    def filtered(self, evidence: Sequence[Evidence]) -> list[Belief]:
        """What was known on each date, from it and those before."""
        return [
            self._belief(one.day, forward)
            for one, forward in zip(evidence, self._forward(self._links(evidence)), strict=True)
        ]

    def smoothed(self, evidence: Sequence[Evidence]) -> list[Belief]:
        """What is known now of each date, from all."""
        links = self._links(evidence)
        forward = self._forward(links)
        backward = np.ones_like(self._prior)
        beliefs = []
        for one, known, (step, likelihood) in zip(reversed(evidence), reversed(forward), reversed(links), strict=True):
            beliefs.append(self._belief(one.day, known * backward))
            if step is not None:
                backward = (step @ (likelihood * backward)[:, :, None])[:, :, 0]
                backward /= backward.max()
        return beliefs[::-1]

    def _links(self, evidence: Sequence[Evidence]) -> list[tuple[NDArray[np.float64] | None, NDArray[np.float64]]]:
        """For each date the chances of its states after those of the date before, and its likelihood."""
        days = [one.day for one in evidence]
        steps = [None, *(self._step(after - before) for before, after in pairwise(days))]
        return [(step, self._likelihood(one)) for step, one in zip(steps, evidence, strict=False)]

    def _forward(
        self, links: Sequence[tuple[NDArray[np.float64] | None, NDArray[np.float64]]]
    ) -> list[NDArray[np.float64]]:
        found = []
        now = self._prior
        for step, likelihood in links:
            now = (now if step is None else (now[:, None, :] @ step)[:, 0, :]) * likelihood
            now = now / now.sum()
            found.append(now)
        return found

    def _begin(self) -> NDArray[np.float64]:
        """Before the first date: most projects are registered before work begins, and no pace is known."""
        weight = np.where(self._level == 0, 1.0, 0.3 / LEVELS) * self._compatible
        weight[(self._level == 0) & (self._stage == Stage.NOT_STARTED)] = 2.5
        weight[self._rests] *= 0.1
        return np.tile(weight / weight.sum() / len(_PACES), (len(_PACES), 1))

    def _likelihood(self, one: Evidence) -> NDArray[np.float64]:
        ratio = np.clip(one.stages, 1e-3, 1) / self._parameters.stage_share
        deviation = max(one.deviation, _SMALLEST_DEVIATION)
        away = (_GRID[self._level] - one.progress) / deviation
        # The tails are heavier than a normal distribution's: a single date may be plainly wrong.
        density = (1 + away**2 / 4) ** -2.5
        value = (ratio[self._stage] * density**self._parameters.trust) ** one.weight
        if one.activity is not None:
            quiet = self._parameters.resting.density(one.activity) / self._parameters.working.density(one.activity)
            value = np.where(self._idle, value * np.clip(quiet, 1 / _MOST_SAY, _MOST_SAY), value)
        return np.asarray(value / value.max())

    def _step(self, days: float) -> NDArray[np.float64]:
        """Chance of each state after some days, for each pace and state before; rows sum to one."""
        return np.stack(
            [self._step_at(pace, max(days, 0.01), prior) for pace, prior in zip(_PACES, self._prior, strict=True)]
        )

    def _step_at(self, pace: float, days: float, prior: NDArray[np.float64]) -> NDArray[np.float64]:
        at_work, at_rest = slice(0, self._works), slice(self._works, None)
        pauses, resumes = 1 - np.exp(-_PAUSE_PER_DAY * days), 1 - np.exp(-_RESUME_PER_DAY * days)
        moves, half = self._gained(pace, days), self._gained(pace, days / 2)
        chance = np.zeros((len(self._level), len(self._level)))
        for before, after, share, levels in (
            (at_work, at_work, 1 - pauses, moves),
            (at_work, at_rest, pauses, half),
            (at_rest, at_work, resumes, half),
            (at_rest, at_rest, 1 - resumes, np.eye(LEVELS)),
        ):
            block = levels[np.ix_(self._level[before], self._level[after])] * self._onward[before, after]
            chance[before, after] = share * block / np.maximum(block.sum(1, keepdims=True), 1e-300)
        chance /= np.maximum(chance.sum(1, keepdims=True), 1e-300)
        idle = self._stage == Stage.NOT_STARTED
        stays = np.exp(-_START_PER_DAY * days)
        for row in np.flatnonzero(idle):
            begun = np.where(idle, 0.0, chance[row])
            total = begun.sum()
            chance[row] = (1 - stays) * begun / total if total > 0 else 0.0
            chance[row, row] += 1 - chance[row].sum()
        return np.asarray((1 - _BACK) * chance + _BACK * prior / prior.sum())

    def _gained(self, pace: float, days: float) -> NDArray[np.float64]:
        """Chance of each level after another within some days of work at a pace; rows sum to one."""
        spread = np.sqrt(np.log1p(_UNSTEADY_DAYS / days))
        gained = np.exp(spread * _STEPS)
        gained *= days / pace / gained.mean()
        time = self._parameters.time_at_progress
        reached = np.interp(time[:, None] + gained, time, _GRID) * (LEVELS - 1)
        # What lies between two levels is shared between them, so that many short steps go as far as one long one.
        low = np.minimum(reached.astype(int), LEVELS - 2)
        part = reached - low
        rows = np.broadcast_to(np.arange(LEVELS)[:, None], low.shape)
        chance = np.full((LEVELS, LEVELS), _HARDLY)
        np.add.at(chance, (rows, low), (1 - part) / len(gained))
        np.add.at(chance, (rows, low + 1), part / len(gained))
        return np.triu(chance)

    def _belief(self, day: float, weight: NDArray[np.float64]) -> Belief:
        states = weight.sum(0) / weight.sum()
        stages, levels = np.zeros(len(Stage)), np.zeros(LEVELS)
        np.add.at(stages, self._stage, states)
        np.add.at(levels, self._level, states)
        return Belief(day, stages, levels)
