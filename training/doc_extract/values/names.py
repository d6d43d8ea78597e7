"""Names of invented people, companies and banks, as documents of many decades print them."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import yaml

_LISTS: dict[str, Sequence[str]] = yaml.safe_load((Path(__file__).parent / "names.yaml").read_text(encoding="utf-8"))


def person(random: Random) -> str:
    """A person, now and then with a name that a court has hidden."""
    surname = random.choice(_LISTS["double_surnames"]) if random.random() < 0.02 else random.choice(_LISTS["surnames"])
    dice = random.random()
    if dice < 0.06:
        return f"{surname}某{random.choice(('', '某', '甲', '乙', random.choice('12一二')))}"
    if dice < 0.08:
        return f"{surname}{random.choice(('×', '××', 'X某', '＊＊'))}"
    return surname + "".join(random.choices(_LISTS["given"], k=1 if random.random() < 0.28 else 2))


def organisation(random: Random) -> str:
    """A company or a small business."""
    place, brand, trade = (
        random.choice(_LISTS["places"]),
        random.choice(_LISTS["brands"]),
        random.choice(_LISTS["trades"]),
    )
    if random.random() < 0.12:
        return f"{place}{random.choice(('县', '市', '区', ''))}{brand}{random.choice(_LISTS['small'])}"
    if random.random() < 0.05:
        return f"{place}{random.choice(('某某', '××', 'XX', '某'))}{trade}{random.choice(_LISTS['forms'][:6])}"
    form = random.choice(_LISTS["forms"])
    where = random.choice((place, f"{place}市", f"{place}", f"{place}县", ""))
    if where and random.random() < 0.1:
        return f"{brand}{trade}（{place}）{form}"
    return f"{where}{brand}{trade}{form}"


def brief_organisation(random: Random) -> str:
    """A company as news and courts call it where its full name stands elsewhere."""
    brand = random.choice(_LISTS["brands"])
    place = random.choice(_LISTS["places"]) if random.random() < 0.2 else ""
    return place + brand + random.choice((*_LISTS["brief_trades"], "公司", "公司", "集团", "股份"))


def brief_bank(random: Random) -> str:
    """A lender as people call it."""
    place = random.choice(_LISTS["places"])
    if random.random() < 0.3:
        return random.choice((place, random.choice(_LISTS["brands"]))) + random.choice(
            ("信用社", "农商行", "联社", "银行")
        )
    tail = random.choice((f"{place}分行", f"{place}支行", f"{random.choice(_LISTS['brands'])}支行", "", "某支行"))
    return random.choice(_LISTS["brief_banks"]) + tail


def bank(random: Random) -> str:
    """A lender without its branch."""
    dice = random.random()
    if dice < 0.45:
        return random.choice(_LISTS["national_banks"]) + random.choice(("", "股份有限公司", "股份有限公司"))
    pattern = random.choice(_LISTS["local_banks"] if dice < 0.75 else _LISTS["other_lenders"])
    return pattern.format(p=random.choice(_LISTS["places"]), b=random.choice(_LISTS["brands"]))


def branch(random: Random) -> str:
    """A lender with its branch."""
    if random.random() < 0.25:
        return bank(random)
    head = random.choice(_LISTS["national_banks"]) + random.choice(("", "股份有限公司", "股份有限公司"))
    if random.random() < 0.3:
        head = random.choice(_LISTS["local_banks"]).format(
            p=random.choice(_LISTS["places"]), b=random.choice(_LISTS["brands"])
        )
    return head + random.choice(_LISTS["branches"]).format(
        p=random.choice(_LISTS["places"]), q=random.choice(_LISTS["brands"])
    )


def assignee(random: Random) -> str:
    """One who bought a claim from the bank that had lent."""
    return random.choice(_LISTS["assignees"]).format(p=place(random), b=brand(random))


def english_organisation(random: Random) -> str:
    """A company of an English agreement."""
    name = random.choice(_LISTS["en_orgs"]).format(b=random.choice(_LISTS["en_brands"]))
    return name.upper() if random.random() < 0.2 else name


def english_bank(random: Random) -> str:
    """A lender of an English agreement."""
    name = random.choice(_LISTS["en_banks"]).format(b=random.choice(_LISTS["en_brands"]))
    return name.upper() if random.random() < 0.2 else name


def english_person(random: Random) -> str:
    """A person of an English agreement."""
    return f"{random.choice(_LISTS['en_first'])} {random.choice(_LISTS['en_last'])}"


def short_name(name: str, random: Random) -> str:
    """What a document calls a party after having named it once."""
    if name.isascii():
        return random.choice((name.split(maxsplit=1)[0], "the Company", "the Party"))
    brands = [brand for brand in _LISTS["brands"] if brand in name]
    if "银行" in name or "信用" in name:
        return random.choice((f"{name[:2]}银行", f"{name[:4]}", "甲银行", "信用社" if "信用" in name else "农行"))
    if brands:
        return brands[0] + random.choice(("公司", "", "集团"))
    return random.choice((f"{name[0]}某", "甲公司", f"{name[:2]}"))


def place(random: Random) -> str:
    """A town."""
    return random.choice(_LISTS["places"])


def brand(random: Random) -> str:
    """A word that companies and streets are named with."""
    return random.choice(_LISTS["brands"])
