"""What watching for drift adds to an answer of the intent service, in processor time.

Utterances of the corpus and answers of their shape, measured and counted as the service does; the model does not run.
"""

import argparse
import time
from statistics import median

import numpy as np

from bankai.drift.reference import measured
from bankai.drift.watch import DriftWatch
from bankai.inference.repository import ModelRepository
from bankai.settings import InferenceSettings
from benchmarks.command import Report, arguments, run
from benchmarks.texts import utterances
from services.intent.classifier import FULL_MODEL
from services.intent.encoding import TextEncoder
from services.intent.features import features

NAME = "drift"
MAX_US = 5.0
_INTENTS = 49


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--blocks", type=int, default=60, help="rounds over all utterances (default: %(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.blocks = 3
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    folder = ModelRepository(InferenceSettings().models_dir).version_dir(FULL_MODEL)
    encoder = TextEncoder(folder / "tokenizer.json")
    random = np.random.default_rng(0)
    texts = utterances()
    answers = [(text, encoder.full(text)["input_ids"], random.random(_INTENTS, np.float32)) for text in texts]
    names = [f"intent_{index}" for index in range(_INTENTS)]

    def measure(index: int) -> dict[str, float | str]:
        text, tokens, own = answers[index]
        best = int(own.argmax())
        return features(text, tokens, confidence=float(own[best]), intent=names[best], emotion="neutral")

    watch = DriftWatch("benchmark", measured([measure(index) for index in range(len(answers))]))
    us = []
    for _ in range(options.blocks):
        start = time.thread_time()
        for index in range(len(answers)):
            watch.observe(measure(index))
        us.append((time.thread_time() - start) / len(answers) * 1e6)
    return {"us": median(us), "us_least": min(us), "utterances": len(answers), "target_met": median(us) < MAX_US}


if __name__ == "__main__":
    main()
