"""Compares a model's latest answers with its reference, for Prometheus. Of an answer only the bins are kept."""

from collections import deque
from collections.abc import Mapping
from math import nan

from prometheus_client import Gauge

from bankai.drift.psi import psi
from bankai.drift.reference import Distribution, Reference, Value

WINDOW = 2000
"""Latest answers that are compared."""

LEAST = 200
"""Answers below which there is no index: it would be chance."""

_PSI = Gauge(
    "bankai_drift_psi",
    "Population stability index of a feature's latest values against the model's reference; NaN until enough are seen.",
    ["model", "feature"],
)
_ANSWERS = Gauge("bankai_drift_window", "Answers that the index is made from.", ["model"])


class _Window:
    """Counts per bin of one feature's latest values."""

    def __init__(self, distribution: Distribution, size: int) -> None:
        self._bin = distribution.binning
        self._expected = distribution.counts
        self._counts = [0] * len(distribution.counts)
        self._latest: deque[int] = deque(maxlen=size)

    def add(self, value: Value) -> None:
        latest, counts = self._latest, self._counts
        if len(latest) == latest.maxlen:
            counts[latest[0]] -= 1
        index = self._bin(value)
        counts[index] += 1
        latest.append(index)

    def __len__(self) -> int:
        return len(self._latest)

    def index(self) -> float:
        return psi(self._expected, self._counts) if len(self) >= LEAST else nan


class DriftWatch:
    """Watches one version of a model. The index is worked out when Prometheus asks, not when an answer comes.

    Args:
        model: Name of the model, for the metrics.
        reference: What to compare with.
        window: Latest answers that are compared.
    """

    def __init__(self, model: str, reference: Reference, window: int = WINDOW) -> None:
        self._model = model
        self._windows = {name: _Window(each, window) for name, each in reference.features.items()}
        self._pairs = tuple(self._windows.items())
        for name, each in self._pairs:
            _PSI.labels(model, name).set_function(each.index)
        _ANSWERS.labels(model).set_function(self._pairs[0][1].__len__)

    def observe(self, values: Mapping[str, Value]) -> None:
        """Takes up the features of one answer.

        Args:
            values: The reference's features by name.
        """
        for name, window in self._pairs:
            window.add(values[name])

    def index(self, feature: str) -> float:
        """The index of a feature now; NaN before `LEAST` answers."""
        return self._windows[feature].index()

    def close(self) -> None:
        """Takes its metrics away."""
        for name in self._windows:
            _PSI.remove(self._model, name)
        _ANSWERS.remove(self._model)
