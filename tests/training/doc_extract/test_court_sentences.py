import pytest
import yaml

from services.doc_extract.normal_forms.registry import normalise
from services.doc_extract.schema import credit
from training.doc_extract.court_sentences import LABELS, sentences
from training.paths import PUBLIC_DATA_DIR

needs_data = pytest.mark.skipif(not (PUBLIC_DATA_DIR / "cail2019-loan").exists(), reason="needs the set cail2019-loan")


def test_no_judgment_is_in_both_splits() -> None:
    labels = yaml.safe_load(LABELS.read_text(encoding="utf-8"))
    dev, test = ({each["judgment"] for each in labels[split]} for split in ("dev", "test"))
    assert not dev & test


@needs_data
@pytest.mark.parametrize("split", ["dev", "test"])
def test_spans_hold_what_their_normal_forms_say(split: str) -> None:
    kinds = {field.id: field.kind for field in credit().fields}
    for sentence in sentences(split):
        for field in sentence["fields"]:
            if field["norm"] and field["field"] not in ("repayment_method", "rate", "penalty_rate"):
                assert normalise(kinds[field["field"]], field["text"]) == field["norm"]
