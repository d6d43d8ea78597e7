"""Fits the role model: `python -m training.doc_extract.train`.

Every document is filled with new values, varied and cut into windows anew whenever it is drawn. Writes the network's
weights.
"""

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from services.doc_extract.understanding.tokens import PAD, WindowEncoder
from training.batching import POOL_BATCHES, alike_in_length
from training.doc_extract import wording
from training.doc_extract.examples import TAGS, UNKNOWN, Example, Stream
from training.doc_extract.network import RoleNetwork
from training.optimisation import Schedule, device, fit
from training.paths import DOC_ROLES, ENCODER_DIR

_ROWS = 20
"""Windows in a batch."""
LAYERS = 4


def batches(stream: Stream, random: Random) -> Iterator[list[Example]]:
    """Endless batches of windows of about one length."""
    rows = iter(stream)
    while True:
        pool = alike_in_length(islice(rows, POOL_BATCHES * _ROWS), _ROWS, lambda row: len(row.ids))
        random.shuffle(pool)
        yield from pool


def loss(network: RoleNetwork, batch: list[Example]) -> Tensor:
    """Mean cross entropy of the tokens that have a tag."""
    where = device()
    ids = pad_sequence([torch.tensor(row.ids) for row in batch], batch_first=True, padding_value=PAD).to(where)
    tags = pad_sequence([torch.from_numpy(row.tags) for row in batch], batch_first=True, padding_value=UNKNOWN)
    logits = network(ids, (ids != PAD).long())
    return cross_entropy(logits.float().flatten(0, 1), tags.to(where).flatten(), ignore_index=UNKNOWN)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=ENCODER_DIR, help="folder of training.encoder.extract")
    parser.add_argument("--out", type=Path, default=DOC_ROLES, help="weights file to write (default: %(default)s)")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--steps", type=int, default=2500, help="optimiser steps (default: %(default)s)")
    parser.add_argument("--layers", type=int, default=LAYERS, help="of the encoder (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, values and noise (default: %(default)s)")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    random = Random(options.seed)
    network = RoleNetwork(options.encoder, options.layers, TAGS).to(device())
    if options.start:
        network.load_state_dict(torch.load(options.start, weights_only=True))
    stream = Stream(list(wording.read()), WindowEncoder(options.encoder / "tokenizer.json"), random)
    schedule = Schedule(steps=options.steps, encoder_rate=2e-4)
    fit(network, batches(stream, random), lambda batch: loss(network, batch), schedule, options.out)
    print(f"{options.out}: fitted in {options.steps} steps")


if __name__ == "__main__":
    main()
