"""The change models behind the inference backend: two dates in, what each pixel has become out."""

import numpy as np
from numpy.typing import NDArray

from bankai.inference.backend import InferenceBackend
from services.progress_monitor.change.asking import blended_answer
from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.change.tiles import OVERLAP

MODEL = "progress_change"
"""Name of the multispectral model in the repository."""

_SIDE = 544


class ChangeModel:
    """Asks the change model.

    Args:
        backend: Runs the model.
    """

    def __init__(self, backend: InferenceBackend) -> None:
        self._backend = backend

    async def surfaces(
        self,
        before: NDArray[np.float32],
        after: NDArray[np.float32],
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> tuple[NDArray[np.float32], str]:
        """What each pixel has become.

        Args:
            before: Reflectance [6, rows, columns] of the reference; zero where there is none.
            after: The same of the date, aligned and normalised to the reference.
            timeout: Seconds until the answer is of no use any more.

        Returns:
            (Probability of each `Surface` [7, rows, columns], version of the model).

        Raises:
            BankaiError: As the backend.
        """
        # What one date lacks, the other must not show: a band of zeros on one side only would look like change.
        common = (before > 0) & (after > 0)
        return await blended_answer(
            self._backend,
            MODEL,
            (before * common, after * common),
            ("surfaces", len(Surface)),
            side=_SIDE,
            overlap=OVERLAP,
            timeout=timeout,
        )
