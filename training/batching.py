"""Texts to padded tensors for training: the product's own encoding, many rows at a time."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

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
    return TextBatch(*encode_tokens(encoder, texts, where), encode_ngrams(texts, where))


def encode_tokens(encoder: TextEncoder, texts: Sequence[str], where: torch.device) -> tuple[Tensor, Tensor]:
    """What the encoder reads of a batch: input_ids and attention_mask."""
    input_ids = pad_sequence(
        [torch.tensor(encoder.tokens(text)) for text in texts], batch_first=True, padding_value=PAD_TOKEN
    )
    return input_ids.to(where), (input_ids != PAD_TOKEN).long().to(where)


def encode_ngrams(texts: Sequence[str], where: torch.device) -> Tensor:
    """The n-grams of a batch."""
    grams = [torch.tensor(ngram_ids(normalise(text)) or [PAD_NGRAM]) for text in texts]
    return pad_sequence(grams, batch_first=True, padding_value=PAD_NGRAM).to(where)
