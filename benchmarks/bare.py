"""The floor: the model in onnxruntime and nothing around it."""

import itertools
import random
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from bankai.inference.admission import BatchKey
from bankai.inference.backend import Tensors
from bankai.inference.config import ModelConfig
from bankai.inference.repository import ModelRepository
from bankai.inference.session import open_session
from bankai.settings import load
from services.intent.classifier import FULL_MODEL, PARTIAL_MODEL
from services.intent.encoding import TextEncoder, ngrams
from services.intent.settings import IntentSettings


class BareModel:
    """One model of the repository, with the threads that the service's settings give it.

    Args:
        name: Its name.
    """

    def __init__(self, name: str = FULL_MODEL) -> None:
        settings = load(IntentSettings).inference
        repository = ModelRepository(settings.models_dir)
        self.name = name
        self.config: ModelConfig = repository.config(name)
        folder = repository.version_dir(name)
        self.file_mb = (folder / self.config.file).stat().st_size / 1e6
        self._session: Any = open_session(folder, self.config, threads=settings.threads)
        self._encoder = TextEncoder(repository.version_dir(FULL_MODEL) / "tokenizer.json")
        self.encode = cache(self._encode)
        """Turns a text into the model's inputs, one row; each text once."""

    def run(self, inputs: Tensors) -> list[Any]:
        """Runs the model."""
        answers: list[Any] = self._session.run(None, inputs)
        return answers

    def batches(self, texts: Sequence[str], rows: int) -> list[Tensors]:
        """Full batches of the texts: each of rows of one shape, as many of each shape as the texts ask for.

        Args:
            texts: The texts.
            rows: Rows of a batch.
        """
        by_shape: dict[BatchKey, list[Tensors]] = defaultdict(list)
        for text in texts:
            inputs = self.encode(text)
            by_shape[shape_of(inputs)].append(inputs)
        full = []
        for group in by_shape.values():
            # Every text `rows` times: the mix of shapes stays that of the texts, and no batch is left half empty.
            repeated = itertools.chain.from_iterable([group] * rows)
            while batch := list(itertools.islice(repeated, rows)):
                full.append(stack(batch))
        random.Random(0).shuffle(full)
        return full

    def _encode(self, text: str) -> Tensors:
        return ngrams(text) if self.name == PARTIAL_MODEL else self._encoder.full(text)


def shape_of(inputs: Tensors) -> BatchKey:
    """Equal for inputs that can be stacked."""
    return tuple((name, tensor.shape[1:]) for name, tensor in inputs.items())


def stack(rows: Sequence[Tensors]) -> Tensors:
    """Inputs of one shape as one batch."""
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def batched_rate(texts: Sequence[str], rows: int, seconds: float) -> float:
    """Texts per second that onnxruntime gets through, encoded and batched beforehand.

    As many threads run it as the model's configuration has instances, which is what the service gives it.

    Args:
        texts: The texts.
        rows: Rows of a batch.
        seconds: How long to measure.
    """
    model = BareModel()
    batches = itertools.cycle(model.batches(texts, rows))
    turn = threading.Lock()
    counts: list[int] = []

    def work() -> None:
        done = 0
        while time.perf_counter() < ends:
            with turn:
                batch = next(batches)
            model.run(batch)
            done += rows
        counts.append(done)

    model.run(next(batches))
    threads = [threading.Thread(target=work) for _ in range(model.config.instances)]
    began = time.perf_counter()
    ends = began + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)
