"""Where training reads and writes. Everything below `var/` is derived and never committed."""

import os
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODELS_DIR = ROOT / "models"
CORPUS_DIR = ROOT / "training" / "intent" / "corpus"
ENCODER_DIR = ROOT / "var" / "encoder"
FONTS_DIR = ROOT / "var" / "fonts"
SHIPPED_TOKENIZER = MODELS_DIR / "intent" / "1" / "tokenizer.json"
INTENT_TEACHER = ROOT / "var" / "intent" / "teacher.pt"
INTENT_STUDENT = ROOT / "var" / "intent" / "student.pt"
DOC_ROLES = ROOT / "var" / "doc_extract" / "roles.pt"
RGB_CHANGE = ROOT / "var" / "progress" / "rgb_change.pt"

PUBLIC_DATA_DIR = Path(os.environ.get("BANKAI_PUBLIC_DATA", ROOT.parent / "shared" / "data"))
"""Public data sets, one folder each, as their repositories hold them; docs/training.md lists where each comes from."""


def public(*parts: str) -> Path:
    """A file of the public data sets.

    Raises:
        SystemExit: It is not there.
    """
    path = PUBLIC_DATA_DIR.joinpath(*parts)
    if not path.exists():
        raise SystemExit(
            f"Public data set file missing: {'/'.join(parts)}. Put it below the folder that BANKAI_PUBLIC_DATA names; "
            "docs/training.md says where it comes from."
        )
    return path
