"""The recipe end to end on a tiny encoder, so that it runs in seconds and without the real one's package."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the training extra: make setup-train")

from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from services.intent.encoding import TextEncoder
from training.batching import encode
from training.network import FusedNetwork
from training.optimisation import Schedule
from training.text_intent import Recipe, train

pytestmark = pytest.mark.slow  # importing torch alone takes seconds

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz:"]
TEXTS = ["lost card", "card is lost", "my card is lost", "what is my balance", "balance please", "show balance"]
LABELS = ["loss", "loss", "loss", "balance", "balance", "balance"]


@pytest.fixture(scope="module")
def encoder_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(PIECES), hidden_size=32, num_hidden_layers=3, num_attention_heads=2, intermediate_size=64
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer = Tokenizer(models.Unigram([(piece, -1.0) for piece in PIECES], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_it_learns_its_training_texts(encoder_dir: Path) -> None:
    recipe = Recipe(epochs=1, batch_rows=4, frozen=1, schedule=Schedule(steps=60, encoder_rate=1e-3))
    model = train(TEXTS, LABELS, encoder_dir, recipe)
    assert model.predict(TEXTS) == LABELS


def test_frozen_layers_can_be_run_ahead(encoder_dir: Path) -> None:
    network = FusedNetwork(BertModel.from_pretrained(encoder_dir, add_pooling_layer=False), {"label": 2}).eval()
    batch = encode(TextEncoder(encoder_dir / "tokenizer.json"), TEXTS, torch.device("cpu"))
    with torch.no_grad():
        whole = network.fuse(network(*batch))
        states = network.lower(batch.input_ids, batch.attention_mask, 2)
        halves = network.fuse(network.upper(states, batch.attention_mask, batch.ngram_ids, 2))
    torch.testing.assert_close(whole, halves)


def test_frozen_layers_stay(encoder_dir: Path) -> None:
    network = FusedNetwork(BertModel.from_pretrained(encoder_dir, add_pooling_layer=False), {"label": 2})
    network.freeze(2)
    tuned = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert not any(
        name.startswith(("encoder.embeddings", "encoder.encoder.layer.0", "encoder.encoder.layer.1")) for name in tuned
    )
    assert any(name.startswith("encoder.encoder.layer.2") for name in tuned)
