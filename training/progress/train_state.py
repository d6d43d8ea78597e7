"""Fits the state model: what one date's measures suggest, and how far to trust that."""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from bankai.inference import open_backend
from bankai.settings import InferenceSettings
from services.progress_monitor.change.work import QUARTER_DAYS, WorkModel, month_before
from services.progress_monitor.evaluation.progress import with_work
from services.progress_monitor.meaning.alerts import stalled_since
from services.progress_monitor.meaning.evidence import MODEL, PARAMETERS_FILE
from services.progress_monitor.meaning.history import FEATURES, features
from services.progress_monitor.meaning.measures import Measures
from services.progress_monitor.meaning.stages import Stage
from services.progress_monitor.meaning.states import (
    LEAST_ACTIVITY,
    LEVELS,
    Activity,
    Evidence,
    Parameters,
    StateModel,
)
from training.onnx_export import trace
from training.progress.simulator.schedule import draw_schedule
from training.progress.site_dates import SiteDates, fitted_on, held_back, read_sites

_STEPS = 3000
_SCHEDULES = 200
_TRUSTS = (0.25, 0.35, 0.5)
_STEP_BACK = 0.05
_CONFIG = f"""name: "{MODEL}"
backend: "onnxruntime"
max_batch_size: 256
input [
  {{ name: "features" data_type: TYPE_FP32 dims: [ {FEATURES} ] }}
]
output [
  {{ name: "stages" data_type: TYPE_FP32 dims: [ {len(Stage)} ] }},
  {{ name: "progress" data_type: TYPE_FP32 dims: [ 2 ] }}
]
instance_group [ {{ count: 2 }} ]
dynamic_batching {{ }}
"""


class StateNetwork(nn.Module):
    """From a date's features to its stage and progress."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(FEATURES, 48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 32), nn.ReLU())
        self.stage = nn.Linear(32, len(Stage))
        self.progress = nn.Linear(32, 2)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Stage probabilities [dates, 6], and mean and deviation of the progress [dates, 2]."""
        hidden = self.body(features)
        raw = self.progress(hidden)
        mean, spread = torch.sigmoid(raw[:, :1]), 0.01 + 0.4 * torch.sigmoid(raw[:, 1:])
        return torch.softmax(self.stage(hidden), 1), torch.cat((mean, spread), 1)


@dataclass(frozen=True)
class Quality:
    """How the state model does on simulated sites.

    Attributes:
        stage_acc: Dates whose stage is right, from all pictures.
        progress_mae: Mean error of the progress.
        coverage: Share of the 80 % intervals that hold the truth.
        start_within_one: Share of the starts found within one picture.
        regressions: Dates on which stage or progress fell.
        stalls_found: Share of the dates by which a stall has gone on for a quarter at which it is said to be one.
        false_stalls: Share of the dates at which a stall is said to go on that does not.
    """

    stage_acc: float
    progress_mae: float
    coverage: float
    start_within_one: float
    regressions: int
    stalls_found: float
    false_stalls: float


@dataclass(frozen=True, slots=True)
class Course:
    """One site as the state model sees it, beside the truth.

    Attributes:
        truth: The site.
        measures: What was measured on each date.
        features: What the network looks at; [dates, FEATURES].
    """

    truth: SiteDates
    measures: Sequence[Measures]
    features: NDArray[np.float32]


def course_of(site: SiteDates) -> Course:
    """A site's course, without what was built between its dates."""
    measures = [each.measures for each in site.looks()]
    return Course(site, measures, features(list(site.day), measures))


async def with_works(courses: Sequence[Course], models: Path) -> list[Course]:
    """The courses with what was built between their dates, as the work model says."""
    backend = open_backend(InferenceSettings(models_dir=models))
    work = WorkModel(backend)
    try:
        return [
            replace(each, measures=await with_work(each.truth.looks(), each.truth.site, work))
            for each in track(courses, "work between dates")
        ]
    finally:
        await backend.close()


def fit(courses: Sequence[Course], seed: int) -> StateNetwork:
    """Fits the network."""
    torch.manual_seed(seed)
    network = StateNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-2)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
    looks = torch.from_numpy(np.concatenate([each.features for each in courses]))
    stage = torch.from_numpy(np.concatenate([each.truth.stage for each in courses]))
    progress = torch.from_numpy(np.concatenate([each.truth.progress for each in courses]).astype(np.float32))
    rng = np.random.default_rng(seed)
    for _ in range(_STEPS):
        batch = torch.from_numpy(rng.integers(0, len(looks), 512))
        noisy = looks[batch] + 0.01 * torch.randn(512, FEATURES)
        stages, course = network(noisy)
        mean, spread = course.T
        distance = (progress[batch] - mean).abs() / spread
        loss = nn.functional.nll_loss(stages.clamp_min(1e-6).log(), stage[batch]) + (distance + spread.log()).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rates.step()
    return network.eval()


def evidence_of(network: StateNetwork, course: Course) -> list[Evidence]:
    """What the network says of a site's dates."""
    with torch.no_grad():
        stages, progress = network(torch.from_numpy(course.features))
    found = zip(course.truth.day, stages.numpy(), progress.numpy(), course.measures, strict=True)
    return [
        Evidence(float(day), stage.astype(np.float64), float(mean), float(spread), one.usable, one.worked_month)
        for day, stage, (mean, spread), one in found
    ]


def parameters(fitted: Sequence[Course], held: Sequence[Course], trust: float) -> Parameters:
    """What is learned from the truth.

    Args:
        fitted: Sites whose stages and progress are counted.
        held: Sites that the work model has not seen: on them is learned how its answers are distributed.
        trust: As `Parameters.trust`.
    """
    progress, stage = (np.concatenate([getattr(each.truth, name) for each in fitted]) for name in ("progress", "stage"))
    table = np.zeros((LEVELS, len(Stage)))
    np.add.at(table, (np.round(progress * (LEVELS - 1)).astype(int), stage), 1.0)
    near = np.exp(-0.5 * ((np.arange(LEVELS)[:, None] - np.arange(LEVELS)[None, :]) / 1.2) ** 2)
    smooth = near @ table
    # The ends are what they are: nothing is done before the start, and all of it at the end.
    smooth[1:, Stage.NOT_STARTED] = 0
    smooth[:-1, Stage.COMPLETE] *= 0.02
    smooth += 1e-6
    share = np.bincount(stage, minlength=len(Stage)) / len(stage)
    resting, working = _activities(held)
    return Parameters(
        stage_given_progress=smooth / smooth.sum(1, keepdims=True),
        stage_share=np.clip(share, 0.03, 1),
        time_at_progress=time_at_progress(),
        trust=trust,
        resting=resting,
        working=working,
    )


def time_at_progress() -> NDArray[np.float64]:
    """Share of the working time that has passed at each level of progress, in the mean of drawn schedules; [LEVELS]."""
    rng = np.random.default_rng(0)
    levels, clock = np.linspace(0, 1, LEVELS), np.linspace(0, 1, 301)
    times = []
    for _ in range(_SCHEDULES):
        areas = list(rng.uniform(500, 6000, int(rng.integers(1, 14))))
        schedule = draw_schedule(areas, 0.0, rng, stalled=False)
        times.append(np.interp(levels, [schedule.progress(share * schedule.days) for share in clock], clock))
    mean = np.mean(times, 0)
    mean[0] = 0.0  # the start is the start, though it hardly shows
    return np.asarray(mean)


def _activities(courses: Sequence[Course]) -> tuple[Activity, Activity]:
    """How activity is distributed while nothing is built, and while something is."""
    resting: list[float] = []
    working: list[float] = []
    for course in courses:
        days = list(course.truth.day)
        for number, one in enumerate(course.measures):
            before = month_before(days[:number], days[number])
            if before is not None and one.worked_month is not None:
                rests = course.truth.worked[number] == course.truth.worked[before]
                (resting if rests else working).append(one.worked_month)
    return _activity(np.array(resting)), _activity(np.array(working))


def _activity(values: NDArray[np.float64]) -> Activity:
    logarithms = np.log(values + LEAST_ACTIVITY)
    return Activity(float(logarithms.mean()), float(logarithms.std()))


def judge(network: StateNetwork, learned: Parameters, courses: Sequence[Course]) -> Quality:
    """Judges the state model on sites."""
    model = StateModel(learned)
    right, errors, covered, starts, stalls = [], [], [], [], []
    false_stalls: list[bool] = []
    regressions = 0
    for course in courses:
        evidence, truth = evidence_of(network, course), course.truth
        if len(evidence) < 2:
            continue
        beliefs = model.smoothed(evidence)
        days = list(truth.day)
        right += [belief.stage == stage for belief, stage in zip(beliefs, truth.stage, strict=True)]
        for belief, progress in zip(beliefs, truth.progress, strict=True):
            low, high = belief.interval()
            errors.append(abs(belief.progress - progress))
            covered.append(low - 0.005 <= progress <= high + 0.005)
        regressions += sum(
            after.stage < before.stage or after.progress < before.progress - _STEP_BACK
            for before, after in pairwise(beliefs)
        )
        true_start = next((number for number, each in enumerate(truth.stage) if each > 0), len(days))
        found = next((number for number, each in enumerate(beliefs) if each.stages[0] < 0.5), len(days))
        starts.append(abs(true_start - found) <= 1)
        for number in range(3, len(days) + 1):
            says = stalled_since(days[:number], course.measures[:number], model.smoothed(evidence[:number])) is not None
            is_stalled = _truly_stalled(truth.stall, truth.day[:number])
            if is_stalled is True:
                stalls.append(says)
            elif is_stalled is False:
                false_stalls.append(says)
    return Quality(
        float(np.mean(right)),
        float(np.mean(errors)),
        float(np.mean(covered)),
        float(np.mean(starts)),
        int(regressions),
        float(np.mean(stalls)) if stalls else float("nan"),
        float(np.mean(false_stalls)),
    )


def _truly_stalled(stall: NDArray[np.float64], days: NDArray[np.float64]) -> bool | None:
    """Whether a stall has gone on for a quarter on at least three pictures; None where that is not clear-cut."""
    begin, length = stall
    if length == 0 or days[-1] < begin:
        return False
    if days[-1] > begin + length:
        return None if days[-1] < begin + length + 30 else False
    inside = days[(days >= begin)]
    if len(inside) >= 3 and inside[-1] - inside[0] >= QUARTER_DAYS + 15:
        return True
    return None if days[-1] - begin > QUARTER_DAYS - 30 else False


def export(network: StateNetwork, learned: Parameters, folder: Path) -> None:
    """Writes the network and what was learned into a model's folder."""
    outputs = ["stages", "progress"]
    axes = {name: {0: "dates"} for name in ("features", *outputs)}
    trace(network, {"features": torch.rand(2, FEATURES)}, outputs, folder / "1" / "model.onnx", axes)
    (folder / "config.pbtxt").write_text(_CONFIG, encoding="utf-8")
    stored = {
        "stage_given_progress": np.round(learned.stage_given_progress, 6).tolist(),
        "stage_share": np.round(learned.stage_share, 6).tolist(),
        "time_at_progress": np.round(learned.time_at_progress, 6).tolist(),
        "trust": learned.trust,
        "resting": [learned.resting.mean, learned.resting.deviation],
        "working": [learned.working.mean, learned.working.deviation],
    }
    (folder / "1" / PARAMETERS_FILE).write_text(json.dumps(stored) + "\n", encoding="utf-8")


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sites", type=Path, nargs="+", default=[Path("var/progress/sites"), Path("var/progress/stalled")]
    )
    parser.add_argument("--judge", type=Path, help="folder of sites to judge on, of other seeds")
    parser.add_argument("--models", type=Path, default=InferenceSettings().models_dir)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    sites = read_sites(arguments.sites)
    fitted = [course_of(each) for each in fitted_on(sites)]
    held = asyncio.run(with_works([course_of(each) for each in held_back(sites)], arguments.models))
    network = fit(fitted, arguments.seed)
    tried = {}
    for trust in _TRUSTS:
        tried[trust] = judge(network, parameters(fitted, held, trust), held)
        print(trust, asdict(tried[trust]))
    # Intervals that are as honest as they say are worth more than a little less error.
    trust = min(_TRUSTS, key=lambda each: abs(tried[each].coverage - 0.815))
    everything = [*fitted, *held]
    network, learned = fit(everything, arguments.seed), parameters(everything, held, trust)
    export(network, learned, arguments.models / MODEL)
    print("trust", trust)
    if arguments.judge:
        others = [course_of(each) for each in read_sites([arguments.judge])]
        print(json.dumps(asdict(judge(network, learned, asyncio.run(with_works(others, arguments.models))))))


if __name__ == "__main__":
    main()
