from pathlib import Path

import pytest

from bankai.capacity.figures import read_figures
from bankai.capacity.prices import read_prices
from bankai.errors import InvalidRequestError


def test_own_figures_take_the_places_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("page_gpu_s: {value: 0.2, unit: s of a GPU, kind: measured, source: our L4}\n")
    figures = read_figures(file)
    assert (figures["page_gpu_s"].value, figures["page_gpu_s"].kind) == (0.2, "measured")
    assert figures["page_scanned_s"] == read_figures()["page_scanned_s"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pages: {value: 1, unit: s, kind: measured, source: us}", "there is no figure pages"),
        ("page_gpu_s: {value: 0, unit: s, kind: measured, source: us}", "page_gpu_s.value"),
        ("page_gpu_s: {value: 1, unit: s, kind: guessed, source: us}", "page_gpu_s.kind"),
        ("{", "cannot be read as YAML"),
    ],
)
def test_a_wrong_figure_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(text)
    with pytest.raises(InvalidRequestError, match=message):
        read_figures(file)


def test_a_missing_price_is_named(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("core: 1\nmemory_gib: 1\ngpu: 1\n")
    with pytest.raises(InvalidRequestError, match="storage_gib"):
        read_prices(file)
