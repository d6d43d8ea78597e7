"""Fits a network's head alone, on the sentence vectors of its encoder as it is, before both are tuned together.

A head that starts at random bends the vectors until it has learned; one that starts here need not (linear probing, then
fine-tuning: Kumar et al., 2022, arXiv:2202.10054).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from training.network import FusedNetwork

DECAY = 6.7
"""Weight of the squared weights beside the rows' summed loss; chosen on part of BANKING77's training texts."""


def probe(network: FusedNetwork, vectors: Tensor, loss: Callable[[Tensor], Tensor]) -> None:
    """Standardises the network's sentence vectors and fits its head to them.

    Args:
        network: Not standardised yet.
        vectors: Sentence vectors [rows, hidden] of training rows, on the network's device.
        loss: From logits [rows, outputs] to the mean loss of the rows.
    """
    network.centre.copy_(vectors.mean(0))
    network.scale.copy_(vectors.std(0).clamp(min=1e-6))
    inputs = (vectors - network.centre) / network.scale
    head = network.head.requires_grad_(requires_grad=True)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
    optimiser = torch.optim.LBFGS(head.parameters(), max_iter=200, history_size=20, line_search_fn="strong_wolfe")

    def surprise() -> Tensor:
        optimiser.zero_grad()
        value = loss(head(inputs)) + DECAY / len(inputs) * head.weight.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimiser.step(surprise)
