"""Compares a model's latest answers with its reference, for Prometheus. Of an answer only the bins are kept."""

from collections import deque
from collections.abc import Mapping
from functools import partial
from math import nan

from prometheus_client import Gauge

from bankai.drift.psi import psi
from bankai.drift.reference import Reference, Value

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


class DriftWatch:
    """Watches one version of a model. The index is worked out when Prometheus asks, not when an answer comes.

    Args:
        model: Name of the model, for the metrics.
        reference: What to compare with.
        window: Latest answers that are compared.
    """

    def __init__(self, model: str, reference: Reference, window: int = WINDOW) -> None:
        self._model = model
        self._expected = {name: each.counts for name, each in reference.features.items()}
        self._counts = {name: [0] * len(counts) for name, counts in self._expected.items()}
        self._latest: deque[list[int]] = deque(maxlen=window)
        # Every answer passes here: plain lists in step with each other are the fastest.
        self._binnings = [(name, each.binning) for name, each in reference.features.items()]
        self._columns = list(self._counts.values())

    def observe(self, values: Mapping[str, Value]) -> None:
        """Takes up the features of one answer.

        Args:
            values: The reference's features by name.
        """
        latest = self._latest
        bins = [binning(values[name]) for name, binning in self._binnings]
        if len(latest) == latest.maxlen:
            for counts, index, oldest in zip(self._columns, bins, latest[0], strict=True):
                counts[index] += 1
                counts[oldest] -= 1
        else:
            for counts, index in zip(self._columns, bins, strict=True):
                counts[index] += 1
        latest.append(bins)

    def index(self, feature: str) -> float:
        """The index of a feature now; NaN before `LEAST` answers."""
        return psi(self._expected[feature], self._counts[feature]) if len(self._latest) >= LEAST else nan

    def publish(self) -> None:
        """Makes the model's metrics tell of this version."""
        for name in self._counts:
            _PSI.labels(self._model, name).set_function(partial(self.index, name))
        _ANSWERS.labels(self._model).set_function(self._latest.__len__)

    def withdraw(self) -> None:
        """Takes the model's metrics away."""
        for name in self._counts:
            _PSI.remove(self._model, name)
        _ANSWERS.remove(self._model)
