"""Writes a public set as CSV files for `bankai eval text-intent`: `python -m training.tables SET FOLDER`.

EWECT states no licence: what is trained on it serves the comparison with published tables and is thrown away.
"""

import argparse
import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from training.corpora import banking77, clinc150
from training.paths import public


def ewect(part: str) -> Iterator[tuple[str, str]]:
    """(text, emotion) of the virus track of SMP2020-EWECT; part "virus_train" or "virus_test_labeled"."""
    for row in json.loads(public("ewect", f"{part}.txt").read_text(encoding="utf-8")):
        yield row["content"], row["label"]


SETS = {
    "banking77": lambda: (banking77("train"), banking77("test")),
    "clinc150": lambda: (clinc150("train"), clinc150("test")),
    "ewect": lambda: (ewect("virus_train"), ewect("virus_test_labeled")),
}


def write(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    """Writes rows with the columns text and category."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "category"))
        writer.writerows(rows)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "set", choices=sorted(SETS), help="which set; clinc150 has its out-of-scope lines as category oos"
    )
    parser.add_argument("folder", type=Path, help="where to write train.csv and test.csv")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(("train", "test"), SETS[options.set](), strict=True):
        write(options.folder / f"{name}.csv", rows)
    print(f"{options.folder}: train.csv, test.csv")


if __name__ == "__main__":
    main()
