"""Sentences of court judgments with hand-made labels: `python -m training.doc_extract.court_sentences OUT.json`.

Writes them as `bankai eval sentences` reads them, out of the public data set's own file.
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from training.paths import ROOT, public

LABELS = ROOT / "training" / "doc_extract" / "court_sentences.yaml"
_FILE = ("cail2019-loan", "data_small_selected.dev125.json")


def sentences(split: str) -> list[dict[str, Any]]:
    """The labelled sentences of a split, dev or test.

    Raises:
        SystemExit: The data set is not there, or another version of it.
    """
    judgments = public(*_FILE).read_text(encoding="utf-8").splitlines()
    return [_sentence(judgments, label) for label in yaml.safe_load(LABELS.read_text(encoding="utf-8")).get(split, ())]


def _sentence(judgments: list[str], label: dict[str, Any]) -> dict[str, Any]:
    text = json.loads(judgments[label["judgment"]])[label["sentence"]]["sentence"]
    if not hashlib.sha256(text.encode()).hexdigest().startswith(label["sha256"]):
        raise SystemExit(
            f"sentence {label['sentence']} of judgment {label['judgment']} is not the one that was labelled: "
            "this is another version of the data set"
        )
    fields = [
        {"field": field, "start": start, "end": end, "text": text[start:end], "norm": norm[0] if norm else None}
        for field, start, end, *norm in label["spans"]
    ]
    return {"text": text, "fields": fields}


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT.json", help="file to write")
    parser.add_argument("--split", choices=("dev", "test"), default="dev", help="default: %(default)s")
    options = parser.parse_args()
    rows = sentences(options.split)
    options.out.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{options.out}: {len(rows)} sentences with {sum(len(row['fields']) for row in rows)} values")


if __name__ == "__main__":
    main()
