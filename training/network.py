"""The network behind every text model here: a general encoder fused with hashed n-grams, a linear head per question."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import BertModel

from services.intent.encoding import PAD_NGRAM
from services.intent.ngrams import BUCKETS


class Answers(NamedTuple):
    """Logits of one batch, all heads side by side: [rows, sum of head sizes].

    Attributes:
        encoder: The encoder alone.
        ngram: The n-grams alone, as the partial model sees the text.
    """

    encoder: Tensor
    ngram: Tensor


NGRAM_DROPOUT = 0.3
"""Share of an utterance's n-grams that are left out while fitting, so that no single one decides."""


class NgramScorer(nn.Module):
    """A linear model over hashed n-grams: the mean-like sum of one table row per n-gram.

    Args:
        outputs: Number of logits.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.table = nn.Embedding(BUCKETS, outputs)
        nn.init.zeros_(self.table.weight)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, ngram_ids: Tensor) -> Tensor:
        """Logits [rows, outputs] of padded n-gram ids [rows, n-grams]."""
        kept = ngram_ids != PAD_NGRAM
        if self.training:
            kept = kept & (torch.rand(ngram_ids.shape, device=ngram_ids.device) >= NGRAM_DROPOUT)
        present = kept.unsqueeze(-1).to(self.table.weight.dtype)
        total = (self.table(ngram_ids) * present).sum(1)
        return total / present.sum(1).clamp(min=1.0).sqrt() + self.bias


class EncoderNetwork(nn.Module):
    """A network on top of an encoder, which learns more slowly than the rest.

    Attributes:
        encoder: A BERT encoder.
    """

    encoder: BertModel


class FusedNetwork(EncoderNetwork):
    """Encoder and n-grams, each fitted by itself, fused by adding their logits.

    The sum is never fitted: in it, the n-grams would learn the training texts by heart and leave the encoder nothing to
    learn.

    Args:
        encoder: A BERT encoder; its last layer is averaged over the tokens, as e5 was trained.
        heads: Number of logits by name of the question; the logits lie side by side in this order.
        dropout: On the pooled vector.
        ngram_weight: Say of the n-grams beside the encoder.
    """

    def __init__(
        self, encoder: BertModel, heads: Mapping[str, int], dropout: float = 0.1, ngram_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.ngram_weight = ngram_weight
        self.encoder = encoder
        self.heads = dict(heads)
        outputs = sum(heads.values())
        # Sentence vectors vary little around a large common part: standardised, a head learns from them at once.
        self.register_buffer("centre", torch.zeros(encoder.config.hidden_size))
        self.register_buffer("scale", torch.ones(encoder.config.hidden_size))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.config.hidden_size, outputs)
        self.ngrams = NgramScorer(outputs)

    def tune_encoder(self, frozen: int) -> None:
        """Only the encoder and its head learn; its embeddings and lowest layers stay as they are.

        Frozen layers are cheaper to fit, and safer with few rows.
        """
        self.requires_grad_(requires_grad=True)
        for module in (self.ngrams, self.encoder.embeddings, *self.encoder.encoder.layer[:frozen]):
            module.requires_grad_(requires_grad=False)

    def tune_ngrams(self) -> None:
        """Only the n-grams learn."""
        self.requires_grad_(requires_grad=False)
        self.ngrams.requires_grad_(requires_grad=True)

    def lower(self, input_ids: Tensor, attention_mask: Tensor, layers: int) -> Tensor:
        """States [rows, length, hidden] after the lowest layers, to be kept where those are frozen."""
        return self._run(self.encoder.embeddings(input_ids=input_ids), attention_mask, 0, layers)

    def upper(self, states: Tensor, attention_mask: Tensor, layers: int) -> Tensor:
        """Sentence vectors [rows, hidden] from the states that `lower` gave for the same number of layers."""
        states = self._run(states, attention_mask, layers, len(self.encoder.encoder.layer))
        return self._vectors(states, attention_mask)

    def _run(self, states: Tensor, attention_mask: Tensor, first: int, end: int) -> Tensor:
        hidden = (1.0 - attention_mask[:, None, None, :].to(states.dtype)) * torch.finfo(states.dtype).min
        for layer in self.encoder.encoder.layer[first:end]:
            states = layer(states, attention_mask=hidden)
        return states

    def pool(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Sentence vectors [rows, hidden]: the mean of the last layer over real tokens, standardised."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self._vectors(states, attention_mask)

    def _vectors(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        weights = attention_mask.unsqueeze(-1).float()
        return ((states * weights).sum(1) / weights.sum(1) - self.centre) / self.scale

    def ask(self, vectors: Tensor) -> Tensor:
        """Logits of the encoder alone, from its sentence vectors."""
        logits: Tensor = self.head(self.dropout(vectors))
        return logits

    def forward(self, input_ids: Tensor, attention_mask: Tensor, ngram_ids: Tensor) -> Answers:
        """Logits of a padded batch; every argument is [rows, length] of int64."""
        return Answers(self.ask(self.pool(input_ids, attention_mask)), self.ngrams(ngram_ids))

    def fuse(self, answers: Answers) -> Tensor:
        """Logits of encoder and n-grams together, to answer with."""
        return answers.encoder + self.ngram_weight * answers.ngram

    def split(self, logits: Tensor) -> dict[str, Tensor]:
        """Logits by name of the question."""
        return dict(zip(self.heads, logits.split(list(self.heads.values()), dim=-1), strict=True))
