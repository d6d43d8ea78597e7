"""The role model's training on a tiny network, so that it runs in seconds."""

from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the training extra: make setup-train")

from services.doc_extract.understanding.tokens import WindowEncoder
from training.doc_extract.examples import FIELDS, OUTSIDE, TAGS, UNKNOWN, Stream, begin, examples, inside
from training.doc_extract.filling import fill
from training.doc_extract.network import RoleNetwork
from training.doc_extract.package import load
from training.doc_extract.train import batches, loss
from training.doc_extract.wording import SENTENCES, Wording, parse
from training.optimisation import Schedule, fit
from training.paths import SHIPPED_TOKENIZER

pytestmark = pytest.mark.slow  # importing torch alone takes seconds

WORDINGS = [Wording(SENTENCES, "a", parse("the borrower: {borrower:en}, the lender: {lender:en}, rate {-rate:en}"))]


def test_tokens_are_tagged_with_the_values_that_they_belong_to() -> None:
    encoder = WindowEncoder(SHIPPED_TOKENIZER)
    wording = Wording(SENTENCES, "a", parse("借款人[[borrower|张三丰]]向银行借[[amount|100万元]]，另有50万元"))
    (example,) = examples(fill(wording, Random(0)), encoder, frozenset())
    borrower, amount = FIELDS.index("borrower"), FIELDS.index("amount")
    tags = [tag for tag in example.tags.tolist() if tag != UNKNOWN]
    assert tags[0] == OUTSIDE == tags[-1]
    for field in (borrower, amount):
        assert tags.count(begin(field)) == 1
    assert set(tags) <= {OUTSIDE, *(tag(field) for field in (borrower, amount) for tag in (begin, inside))}


def test_training_learns(encoder_dir: Path) -> None:
    torch.manual_seed(0)
    random = Random(0)
    network = RoleNetwork(encoder_dir, 2, TAGS)
    stream = Stream(WORDINGS, WindowEncoder(encoder_dir / "tokenizer.json"), random)
    held = list(islice(iter(stream), 24))
    before = loss(network, held).item()
    fit(
        network,
        batches(stream, random),
        lambda batch: loss(network, batch),
        Schedule(steps=15, encoder_rate=5e-3, head_rate=1e-2),
    )
    assert loss(network, held).item() < 0.7 * before


def test_a_fitted_network_is_read_back_as_deep_as_it_is(encoder_dir: Path, tmp_path: Path) -> None:
    network = RoleNetwork(encoder_dir, 2, TAGS).eval()
    torch.save(network.state_dict(), tmp_path / "roles.pt")
    ids = torch.tensor([[0, 5, 6, 7, 2]])
    again = load(encoder_dir, [tmp_path / "roles.pt"] * 2)
    with torch.no_grad():
        expected, found = (each(ids, torch.ones_like(ids)).numpy() for each in (network, again))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
