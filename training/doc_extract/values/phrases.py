"""Values that are words: products, purposes, collateral, conditions, repayment methods, opinions."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, cast

import yaml

from training.doc_extract.values.names import brand, organisation, person, place

_LISTS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "phrases.yaml").read_text(encoding="utf-8"))


def phrase(field: str, form: str, random: Random) -> str:
    """A value of a field whose values are words.

    Args:
        field: product, purpose, collateral, drawdown_condition, repayment_method or approval_opinion.
        form: "en" for English; for collateral which sort of it.
        random: Source of chance.
    """
    return random.choice(_options(field, form, random)).format(
        g=random.choice(_LISTS["goods"]),
        a=random.choice(_LISTS["animals"]),
        c=random.choice(_LISTS["crops"]),
        e=random.choice(_LISTS["equipment_en"]),
        p=place(random),
        b=brand(random),
        q=random.choice(("他行", "农行", "前期", "个人")),
        o=organisation(random),
        x=person(random),
        k=random.randint(2, 30),
        m=random.randint(1, 4),
        n=random.randint(30, 2999),
        z=random.randint(10000, 999999),
        l=random.choice(("浙A", "粤B", "豫A", "川A", "苏E")),
    )


def _options(field: str, form: str, random: Random) -> Sequence[str]:
    if field != "collateral":
        return cast("Sequence[str]", _LISTS["words"][field]["en" if form == "en" else "zh"])
    if form == "en":
        return cast("Sequence[str]", _LISTS["collateral_en"])
    sorts = _LISTS["collateral"]
    return cast("Sequence[str]", sorts.get(form) or random.choice(list(sorts.values())))
