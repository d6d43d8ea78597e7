"""Fits the state model: what one date's measures suggest, and how far to trust that."""

import argparse
import json
import warnings
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bankai.settings import InferenceSettings
from services.progress_monitor.meaning.alerts import STALL_DAYS, stalled_since
from services.progress_monitor.meaning.evidence import MODEL, PARAMETERS_FILE
from services.progress_monitor.meaning.measures import FEATURES
from services.progress_monitor.meaning.stages import Stage
from services.progress_monitor.meaning.states import (
    LEAST_ACTIVITY,
    LEVELS,
    Activity,
    Belief,
    Evidence,
    Parameters,
    StateModel,
)
from training.onnx_export import OPSET
from training.progress.site_dates import SiteDates

_STEPS = 3000
_HELD_BACK = 0.25
"""Share of the sites on which trust is chosen."""
_TRUSTS = (0.25, 0.35, 0.5, 0.7, 1.0)
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
        stalls_found: Share of the stalls of at least `STALL_DAYS` on pictures that are found.
        false_stalls: Share of the dates at which a stall is said to go on that does not.
    """

    stage_acc: float
    progress_mae: float
    coverage: float
    start_within_one: float
    regressions: int
    stalls_found: float
    false_stalls: float


def fit(dates: SiteDates, rows: NDArray[np.bool_], seed: int) -> StateNetwork:
    """Fits the network on some of the dates."""
    torch.manual_seed(seed)
    network = StateNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-3)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
    features = torch.from_numpy(dates.features[rows])
    stage = torch.from_numpy(dates.stage[rows])
    progress = torch.from_numpy(np.float32(dates.progress[rows]))
    rng = np.random.default_rng(seed)
    for _ in range(_STEPS):
        batch = torch.from_numpy(rng.integers(0, len(features), 512))
        noisy = features[batch] + 0.01 * torch.randn(512, FEATURES)
        stages, course = network(noisy)
        mean, spread = course.T
        distance = (progress[batch] - mean).abs() / spread
        loss = nn.functional.nll_loss(stages.clamp_min(1e-6).log(), stage[batch]) + (distance + spread.log()).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rates.step()
    return network.eval()


def evidence_of(network: StateNetwork, dates: SiteDates, site: int) -> tuple[list[Evidence], NDArray[np.bool_]]:
    """What the network says of a site's dates, and which rows they are."""
    rows = dates.site == site
    with torch.no_grad():
        stages, course = network(torch.from_numpy(dates.features[rows]))
    moved = [None if np.isnan(each) else float(each) for each in dates.activity[rows]]
    found = zip(dates.day[rows], stages.numpy(), course.numpy(), dates.usable[rows], moved, strict=True)
    return [
        Evidence(float(day), stage.astype(np.float64), float(mean), float(spread), float(usable), activity)
        for day, stage, (mean, spread), usable, activity in found
    ], rows


def parameters(dates: SiteDates, rows: NDArray[np.bool_], trust: float) -> Parameters:
    """What is learned from the truth of some of the dates."""
    table = np.zeros((LEVELS, len(Stage)))
    level = np.round(dates.progress[rows] * (LEVELS - 1)).astype(int)
    np.add.at(table, (level, dates.stage[rows]), 1.0)
    near = np.exp(-0.5 * ((np.arange(LEVELS)[:, None] - np.arange(LEVELS)[None, :]) / 1.2) ** 2)
    smooth = near @ table
    # The ends are what they are: nothing is done before the start, and all of it at the end.
    smooth[1:, Stage.NOT_STARTED] = 0
    smooth[:-1, Stage.COMPLETE] *= 0.02
    smooth += 1e-6
    share = np.bincount(dates.stage[rows], minlength=len(Stage)) / rows.sum()
    known = rows & ~np.isnan(dates.activity)
    resting = _activity(dates.activity[known & (dates.built <= 0)])
    working = _activity(dates.activity[known & (dates.built > 0)])
    return Parameters(smooth / smooth.sum(1, keepdims=True), np.clip(share, 0.03, 1), trust, resting, working)


def _activity(values: NDArray[np.float64]) -> Activity:
    logarithms = np.log(values + LEAST_ACTIVITY)
    return Activity(float(logarithms.mean()), float(logarithms.std()))


def judge(network: StateNetwork, learned: Parameters, dates: SiteDates, sites: NDArray[np.int64]) -> Quality:
    """Judges the state model on sites."""
    model = StateModel(learned)
    right, errors, covered, starts, stalls = [], [], [], [], []
    false_stalls: list[bool] = []
    regressions = 0
    for site in sites:
        evidence, rows = evidence_of(network, dates, int(site))
        if len(evidence) < 2:
            continue
        beliefs = model.smoothed(evidence)
        stage, progress, days = dates.stage[rows], dates.progress[rows], dates.day[rows]
        right += [belief.stage == truth for belief, truth in zip(beliefs, stage, strict=True)]
        for belief, truth in zip(beliefs, progress, strict=True):
            low, high = belief.interval()
            errors.append(abs(belief.progress - truth))
            covered.append(low - 0.005 <= truth <= high + 0.005)
        regressions += sum(
            after.stage < before.stage or after.progress < before.progress - _STEP_BACK
            for before, after in pairwise(beliefs)
        )
        true_start = next((number for number, each in enumerate(stage) if each > 0), len(stage))
        found = next((number for number, each in enumerate(beliefs) if each.stages[0] < 0.5), len(stage))
        starts.append(abs(true_start - found) <= 1)
        for number in range(2, len(days)):
            says = _stalled(model, evidence[: number + 1], days[: number + 1])
            is_stalled = _truly_stalled(dates.stall[site], days[: number + 1])
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


def _stalled(model: StateModel, evidence: list[Evidence], days: NDArray[np.float64]) -> bool:
    beliefs: list[Belief] = model.smoothed(evidence)
    return stalled_since(list(days), beliefs) is not None


def _truly_stalled(stall: NDArray[np.float64], days: NDArray[np.float64]) -> bool | None:
    """Whether a stall has gone on for `STALL_DAYS` on at least three pictures; None where that is not clear-cut."""
    begin, length = stall
    if length == 0 or days[-1] < begin:
        return False
    if days[-1] > begin + length:
        return None if days[-1] < begin + length + 30 else False
    inside = days[(days >= begin)]
    if len(inside) >= 3 and inside[-1] - inside[0] >= STALL_DAYS + 15:
        return True
    return None if days[-1] - begin > STALL_DAYS - 30 else False


def export(network: StateNetwork, learned: Parameters, folder: Path) -> None:
    """Writes the network and what was learned into a model's folder."""
    (folder / "1").mkdir(parents=True, exist_ok=True)
    (folder / "config.pbtxt").write_text(_CONFIG, encoding="utf-8")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # as in training.onnx_export
        torch.onnx.export(
            network,
            (torch.rand(2, FEATURES),),
            str(folder / "1" / "model.onnx"),
            input_names=["features"],
            output_names=["stages", "progress"],
            dynamic_axes={name: {0: "dates"} for name in ("features", "stages", "progress")},
            opset_version=OPSET,
            dynamo=False,
        )
    stored = {
        "stage_given_progress": np.round(learned.stage_given_progress, 6).tolist(),
        "stage_share": np.round(learned.stage_share, 6).tolist(),
        "trust": learned.trust,
        "resting": [learned.resting.mean, learned.resting.deviation],
        "working": [learned.working.mean, learned.working.deviation],
    }
    (folder / "1" / PARAMETERS_FILE).write_text(json.dumps(stored) + "\n", encoding="utf-8")


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=Path, default=Path("var/progress/sites.npz"))
    parser.add_argument("--judge", type=Path, help="sites to judge on, of other seeds")
    parser.add_argument("--models", type=Path, default=InferenceSettings().models_dir)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    dates = SiteDates.load(arguments.sites)
    numbers = np.unique(dates.site)
    held_back = numbers[: round(len(numbers) * _HELD_BACK)]
    rows = ~np.isin(dates.site, held_back)
    network = fit(dates, rows, arguments.seed)
    tried = {}
    for trust in _TRUSTS:
        tried[trust] = judge(network, parameters(dates, rows, trust), dates, held_back)
        print(trust, asdict(tried[trust]))
    # Intervals that are as honest as they say are worth more than a little less error.
    trust = min(_TRUSTS, key=lambda each: abs(tried[each].coverage - 0.815))
    learned = parameters(dates, rows, trust)
    export(network, learned, arguments.models / MODEL)
    print("trust", trust)
    if arguments.judge:
        others = SiteDates.load(arguments.judge)
        print(json.dumps(asdict(judge(network, learned, others, np.unique(others.site)))))


if __name__ == "__main__":
    main()
