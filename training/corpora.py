"""The licensed public data sets, read as their repositories hold them."""

import csv
import json
from collections.abc import Iterator

from training.paths import public


def banking77(split: str) -> Iterator[tuple[str, str]]:
    """(text, intent) of BANKING77 (CC BY 4.0); split "train" or "test"."""
    with public("banking77", f"{split}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["text"], row["category"]


def clinc150(split: str) -> Iterator[tuple[str, str]]:
    """(text, intent) of CLINC150 (CC BY 3.0), out-of-scope lines as "oos"; split "train", "val" or "test"."""
    data = json.loads(public("clinc150", "data_full.json").read_text(encoding="utf-8"))
    yield from (tuple(row) for row in data[split] + data[f"oos_{split}"])


def nlupp_banking() -> Iterator[tuple[str, list[str]]]:
    """(text, intents) of NLU++ banking (CC BY 4.0)."""
    for fold in range(20):
        for row in json.loads(public("nlupp-banking", f"fold{fold}.json").read_text(encoding="utf-8")):
            yield row["text"], row.get("intents", [])


def multidogo_finance() -> Iterator[tuple[str, list[str]]]:
    """(text, intents) of the customer turns of MultiDoGO finance (CDLA-Permissive 1.0)."""
    with public("multidogo-finance", "finance_turn_train.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield row["utterance"], row["intent"].split("<div>")


def goemotions() -> Iterator[tuple[str, list[str]]]:
    """(text, emotions) of the GoEmotions development part (Apache 2.0)."""
    names = public("goemotions", "data_original_labels.txt").read_text(encoding="utf-8").split()
    with public("goemotions", "dev.tsv").open(encoding="utf-8") as file:
        for line in file:
            text, labels, _ = line.rstrip("\n").split("\t")
            yield text, [names[int(label)] for label in labels.split(",")]


def cped() -> Iterator[tuple[str, str]]:
    """(text, emotion) of CPED, Chinese television dialogue (Apache 2.0)."""
    with public("cped-dev", "valid_split.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["Utterance"]:
                yield row["Utterance"], row["Emotion"]


def english_texts() -> list[str]:
    """English lines whose vocabulary the encoder keeps."""
    texts = [text for text, _ in banking77("train")]
    texts += [text for text, _ in clinc150("train")]
    texts += [text for text, _ in nlupp_banking()]
    texts += [text for text, _ in multidogo_finance()]
    texts += [text for text, _ in goemotions()]
    return texts
