"""Texts to padded tensors for training: the product's own encoding, many rows at a time."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from services.intent.encoding import PAD_NGRAM, PAD_TOKEN, TextEncoder
from services.intent.ngrams import ngram_ids
from services.intent.text import normalise

POOL_BATCHES = 8
"""Batches drawn together, to be sorted by length."""

Row = TypeVar("Row")


def alike_in_length(rows: Iterable[Row], size: int, length: Callable[[Row], int]) -> list[list[Row]]:
    """Slices rows into batches of about one length, shortest first, so that little is spent on padding."""
    ordered = sorted(rows, key=length)
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


class TextBatch(NamedTuple):
    """Inputs of `FusedNetwork`, each [rows, length] of int64."""

    input_ids: Tensor
    attention_mask: Tensor
    ngram_ids: Tensor


def encode(encoder: TextEncoder, texts: Sequence[str], where: torch.device) -> TextBatch:
    """One batch of texts, padded to its longest."""
    tokens = [torch.tensor(encoder.tokens(text)) for text in texts]
    grams = [torch.tensor(ngram_ids(normalise(text)) or [PAD_NGRAM]) for text in texts]
    input_ids = torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True, padding_value=PAD_TOKEN)
    return TextBatch(
        input_ids.to(where),
        (input_ids != PAD_TOKEN).long().to(where),
        torch.nn.utils.rnn.pad_sequence(grams, batch_first=True, padding_value=PAD_NGRAM).to(where),
    )
