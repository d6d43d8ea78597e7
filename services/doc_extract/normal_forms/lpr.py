"""The loan prime rate (贷款市场报价利率), as the National Interbank Funding Center announced it."""

import csv
from bisect import bisect_right
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Literal

Tenor = Literal["1Y", "5Y"]


def lpr_on(day: date, tenor: Tenor) -> Decimal | None:
    """The loan prime rate in force on a day.

    The table, `lpr.csv`, has a row for each announcement that changed a rate, at the day of the announcement. After
    its last row the last rate is taken to be in force.

    Args:
        day: The day.
        tenor: "1Y" for one year, "5Y" for over five years.

    Returns:
        Per cent a year; None before the first announcement of 2019-08-20.
    """
    days, rates = _history()
    place = bisect_right(days, day) - 1
    return rates[place][tenor] if place >= 0 else None


@cache
def _history() -> tuple[list[date], list[dict[Tenor, Decimal]]]:
    table = (files(__package__) / "lpr.csv").read_text(encoding="utf-8").splitlines()
    rows = sorted(csv.DictReader(table), key=lambda row: row["announced"])
    days = [date.fromisoformat(row["announced"]) for row in rows]
    return days, [{"1Y": Decimal(row["1Y"]), "5Y": Decimal(row["5Y"])} for row in rows]
