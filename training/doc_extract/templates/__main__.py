"""Fills in real templates of loan and security contracts: `python -m training.doc_extract.templates OUT`.

Writes documents and their gold.json as `bankai eval documents` reads them.
"""

import argparse
import json
from pathlib import Path
from random import Random
from typing import Any

from training.doc_extract.templates.documents import documents
from training.doc_extract.templates.styles import STYLES


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write")
    parser.add_argument("--split", choices=("dev", "test"), default="dev", help="default: %(default)s")
    parser.add_argument("--style", choices=tuple(STYLES), default="digital", help="default: %(default)s")
    parser.add_argument("--copies", type=int, default=3, help="fillings of each template (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the values (default: %(default)s)")
    options = parser.parse_args()
    random = Random(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    gold: dict[str, Any] = {}
    for copy in range(options.copies):
        for document in documents(options.split, random):
            ending, data = STYLES[options.style](document)
            file = f"{document.name}_{copy}.{ending}"
            (options.out / file).write_bytes(data)
            gold[file] = {"fields": document.fields, "flags": document.flags}
    (options.out / "gold.json").write_text(json.dumps(gold, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{options.out}: {len(gold)} documents with {sum(len(each['fields']) for each in gold.values())} values")


if __name__ == "__main__":
    main()
