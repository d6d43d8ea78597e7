"""A network together with how it reads text."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from services.intent.encoding import TextEncoder
from training.batching import encode, encode_tokens
from training.network import Answers, FusedNetwork
from training.optimisation import device


class Reader(NamedTuple):
    """A network, on its device already, and what turns text into its inputs."""

    network: FusedNetwork
    text: TextEncoder

    def vectors(self, texts: Sequence[str]) -> Tensor:
        """Sentence vectors [texts, hidden] of the encoder."""
        return self.network.pool(*encode_tokens(self.text, texts, device()))

    def answers(self, texts: Sequence[str]) -> Answers:
        """Logits of encoder and n-grams."""
        answers: Answers = self.network(*encode(self.text, texts, device()))
        return answers
