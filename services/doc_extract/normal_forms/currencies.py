"""Currencies as documents name them."""

import re

_NAMES = {
    "CNY": "人民币 RMB CNY CNH ¥ renminbi yuan",
    "USD": "美元 美金 USD US$ $ U.S.dollars USdollars dollars dollar",
    "HKD": "港币 港元 HKD HK$",
    "EUR": "欧元 EUR € euros euro",
    "JPY": "日元 日圆 日币 JPY",
    "GBP": "英镑 GBP £",
    "AUD": "澳元 澳大利亚元 AUD",
    "CAD": "加元 加拿大元 CAD",
    "SGD": "新加坡元 新元 SGD",
    "CHF": "瑞士法郎 CHF",
    "TWD": "新台币 台币 TWD",
    "MOP": "澳门元 MOP",
    "KRW": "韩元 韩币 KRW",
    "RUB": "卢布 RUB",
    "THB": "泰铢 THB",
}
_CODES = {name.lower(): code for code, names in _NAMES.items() for name in names.split()}


def _pattern(names: list[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


_ALL = [name for names in _NAMES.values() for name in names.split()]
_SPELT_OUT = {"yuan", "euros", "euro", "U.S.dollars", "USdollars", "dollars", "dollar"}
BEFORE = f"(?:{_pattern([name for name in _ALL if name not in _SPELT_OUT])})"
"""A currency before its figure, for a pattern over folded text."""
AFTER = f"(?:{_pattern([name for name in _ALL if name[0].isalpha() and name not in _SPELT_OUT])})"
"""A currency behind its figure."""
_ANY = re.compile(_pattern(_ALL), re.IGNORECASE)


def take_currency(text: str) -> tuple[str, str] | None:
    """Takes the currencies out of an amount without white space.

    Returns:
        What is left and the ISO 4217 code, CNY where none is named; None where several are named.
    """
    codes = {_CODES[name.lower()] for name in _ANY.findall(text)}
    if len(codes) > 1:
        return None
    return _ANY.sub("", text), next(iter(codes), "CNY")
