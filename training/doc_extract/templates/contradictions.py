"""Documents that contradict themselves, so that the checks have something to find."""

import re
from collections.abc import Mapping
from random import Random

KEPT = "!"
"""Before a slot that must not be left blank, so that a contradiction is one."""
_SLOT = re.compile(r"\{(?P<field>[a-z_]+)[^#}]*\}")


def contradicted(blanks: Mapping[str, str], random: Random) -> tuple[Mapping[str, str], list[str]]:
    """The blanks with one of them filled so that the document contradicts itself, and what must be found then."""
    options = []
    slots = {place: _SLOT.fullmatch(slot.strip("　 ")) for place, slot in blanks.items()}
    of = {found["field"]: place for place, found in slots.items() if found}
    if "amount" in of and "amount_upper" in of:
        options.append((of["amount_upper"], "{amount_upper:upper#8}", "amount_upper_mismatch"))
    if {"term", "start_date", "end_date"} <= of.keys():
        options.append((of["term"], "[[term|500个月]]", "term_dates_mismatch"))
    if {"start_date", "end_date"} <= of.keys() and "term" not in of:
        options.append((of["end_date"], "[[end_date|1990年5月1日]]", "date_order"))
    if not options:
        return blanks, []
    place, slot, flag = random.choice(options)
    needed = {of[field] for field in ("amount", "amount_upper", "term", "start_date", "end_date") if field in of}
    return {each: KEPT + (slot if each == place else old) if each in needed else old for each, old in blanks.items()}, [
        flag
    ]
