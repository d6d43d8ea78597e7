"""The recipe end to end on a tiny encoder, so that it runs in seconds and without the real one's package."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the training extra: make setup-train")

from training.batching import encode
from training.encoder.folder import EncoderFolder
from training.network import FusedNetwork
from training.optimisation import Schedule
from training.probe import probe
from training.text_intent import Recipe, train

pytestmark = pytest.mark.slow  # importing torch alone takes seconds

TEXTS = ["lost card", "card is lost", "my card is lost", "what is my balance", "balance please", "show balance"]
LABELS = ["loss", "loss", "loss", "balance", "balance", "balance"]


def test_it_learns_its_training_texts(encoder_dir: Path) -> None:
    recipe = Recipe(epochs=1, batch_rows=4, frozen=0.3, schedule=Schedule(steps=60, encoder_rate=1e-3))
    model = train(TEXTS, LABELS, [EncoderFolder(encoder_dir)], recipe)
    assert model.predict(TEXTS) == LABELS


def network_of(encoder_dir: Path) -> FusedNetwork:
    network = FusedNetwork(EncoderFolder(encoder_dir).bert(), {"label": 2})
    network.eval()
    return network


def test_frozen_layers_can_be_run_ahead(encoder_dir: Path) -> None:
    network = network_of(encoder_dir)
    batch = encode(EncoderFolder(encoder_dir).text(), TEXTS, torch.device("cpu"))
    with torch.no_grad():
        whole = network.pool(batch.input_ids, batch.attention_mask)
        states = network.lower(batch.input_ids, batch.attention_mask, 2)
        halves = network.upper(states, batch.attention_mask, 2)
    torch.testing.assert_close(whole, halves)


def tuned(network: FusedNetwork) -> set[str]:
    return {name for name, parameter in network.named_parameters() if parameter.requires_grad}


def test_encoder_and_ngrams_learn_apart(encoder_dir: Path) -> None:
    network = network_of(encoder_dir)
    network.tune_ngrams()
    assert {name.split(".")[0] for name in tuned(network)} == {"ngrams"}
    network.tune_encoder(2)
    assert {name.split(".")[0] for name in tuned(network)} == {"encoder", "head"}
    frozen = ("encoder.embeddings", "encoder.encoder.layer.0", "encoder.encoder.layer.1")
    assert not any(name.startswith(frozen) for name in tuned(network))


def test_a_probed_head_starts_right(encoder_dir: Path) -> None:
    network = network_of(encoder_dir)
    vectors = torch.tensor([[5.0, 1.0], [5.1, 1.0], [5.0, 2.0], [5.1, 2.0]]).repeat_interleave(16, 1)
    target = torch.tensor([0, 1, 0, 1])
    probe(network, vectors, lambda logits: torch.nn.functional.cross_entropy(logits, target))
    found = network.head((vectors - network.centre) / network.scale).argmax(-1)
    assert found.tolist() == target.tolist()
