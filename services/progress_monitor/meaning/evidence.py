"""The state model's first half: what measures suggest of each date, asked of a small network behind the backend."""

import json
from collections.abc import Sequence

import numpy as np

from bankai.errors import FaultError
from bankai.inference.backend import InferenceBackend
from bankai.inference.repository import ModelRepository
from services.progress_monitor.meaning.history import features
from services.progress_monitor.meaning.measures import Measures
from services.progress_monitor.meaning.stages import Stage
from services.progress_monitor.meaning.states import LEVELS, Activity, Evidence, Parameters

MODEL = "progress_state"
"""Name of the model in the repository."""
PARAMETERS_FILE = "parameters.json"
"""File beside the model with what was learned of its answers."""

_MOST_ROWS = 256


class EvidenceModel:
    """Asks the model.

    Args:
        backend: Runs it.
    """

    def __init__(self, backend: InferenceBackend) -> None:
        self._backend = backend

    async def evidence(
        self,
        days: Sequence[float],
        measures: Sequence[Measures],
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> list[Evidence]:
        """What dates suggest.

        Args:
            days: Day of each, in order.
            measures: What was measured on each; at least one.
            timeout: Seconds until the answer is of no use any more.

        Raises:
            BankaiError: As the backend.
        """
        looks = features(days, measures)
        stages, progress = [], []
        for start in range(0, len(looks), _MOST_ROWS):
            rows = looks[start : start + _MOST_ROWS]
            answer = await self._backend.infer(MODEL, {"features": rows}, timeout=timeout)
            stages.append(answer.outputs["stages"])
            progress.append(answer.outputs["progress"])
        found = zip(days, np.concatenate(stages), np.concatenate(progress), measures, strict=True)
        return [
            Evidence(day, stage.astype(np.float64), float(mean), float(deviation), one.usable, one.worked_month)
            for day, stage, (mean, deviation), one in found
        ]


def read_parameters(repository: ModelRepository) -> Parameters:
    """What was learned of the model's answers.

    Raises:
        FaultError: MODEL_PARAMETERS_INVALID.
        NotFoundError: MODEL_NOT_FOUND.
    """
    file = repository.version_dir(MODEL) / PARAMETERS_FILE
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        shares = np.array(stored["stage_given_progress"], np.float64).reshape(LEVELS, len(Stage))
        resting, working = (Activity(*stored[name]) for name in ("resting", "working"))
        return Parameters(
            shares,
            np.array(stored["stage_share"], np.float64),
            np.array(stored["time_at_progress"], np.float64).reshape(LEVELS),
            float(stored["trust"]),
            resting,
            working,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FaultError("MODEL_PARAMETERS_INVALID", f"{PARAMETERS_FILE} of model {MODEL!r} cannot be read") from error
