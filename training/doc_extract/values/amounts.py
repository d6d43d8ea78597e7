"""Ways of printing amounts of money."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from random import Random

from services.doc_extract.normal_forms.numerals import plain_figure
from training.doc_extract.values.numerals import UPPER, han

ANY = "any"
_WAN, _YI = Decimal(10_000), Decimal(100_000_000)


def amount(value: Decimal, form: str, random: Random) -> str:
    """An amount in one of the forms of the wording guide."""
    if form == ANY:
        form = random.choices(("yuan", "wan", "yi", "plain"), (5, 4, 1, 1))[0]
    if form == "yi" and value < _YI / 10:
        form = "wan"
    if form == "wan" and value < _WAN:
        form = "yuan"
    return _FORMS.get(form, _yuan)(value, random)


def in_words(value: Decimal, form: str, random: Random) -> str:
    """An amount in words, as cheques have it; "upperbare" is the numeral alone."""
    yuan, cents = divmod(int(value * 100), 100)
    words = han(yuan, upper=True)
    if random.random() < 0.1:
        words = words.translate(str.maketrans("叁陆", "叄陸"))
    if form == "upperbare":
        return han(yuan // 10_000, upper=True) if yuan % 10_000 == 0 and random.random() < 0.6 else words
    if random.random() < 0.03:
        words = f"{UPPER.index(words[0])}{words[1:]}" if words[0] in UPPER else words
    jiao, fen = divmod(cents, 10)
    tail = (f"{UPPER[jiao]}角" if jiao else "") + (f"{UPPER[fen]}分" if fen else "")
    lead = random.choice(("人民币", "人民币", "人民币", "", "人民币（大写）", "人民币 "))
    return f"{lead}{words}{random.choice('元元元圆圓')}{tail or random.choice(('整', '整', '整', '正', ''))}"


def _yuan(value: Decimal, random: Random) -> str:
    figures = (f"{value:,.2f}", f"{value:,.2f}", f"{value:.2f}", plain_figure(value), _short(value))
    figure = random.choice((*figures, f"{value:,.2f}".replace(",", "，")))
    lead = random.choice(("", "", "", "人民币", "人民币", "￥", "¥", "RMB", "人民币￥"))
    units = ("", "元") if lead in ("￥", "¥") else ("元", "元", "元", "元整", "元正")
    return f"{lead}{figure}{random.choice(units)}"


def _plain(value: Decimal, random: Random) -> str:
    return f"{han(int(value), upper=False)}元" if value % 1000 == 0 else _yuan(value, random)


def _wan(value: Decimal, random: Random) -> str:
    lead = random.choice(("", "", "", "人民币", "人民币 ", "RMB"))
    gap = random.choice(("", "", "", " "))
    return (
        f"{lead}{_bare_wan(value, random)}{gap}{random.choice(('万元', '万元', '万元', '万元整', '万元人民币', '万'))}"
    )


def _yi(value: Decimal, random: Random) -> str:
    return f"{random.choice(('', '人民币'))}{plain_figure(value / _YI)}{random.choice(('亿元', '亿元', '亿元人民币'))}"


def _bare(value: Decimal, random: Random) -> str:
    return random.choice((f"{value:.2f}", f"{value:,.2f}", plain_figure(value), _short(value)))


def _bare_wan(value: Decimal, random: Random) -> str:
    return f"{value / _WAN:,.2f}" if random.random() < 0.2 else plain_figure(value / _WAN)


def _dollars(value: Decimal, random: Random) -> str:
    figure = random.choice((f"{value:,.2f}", _short(value)))
    forms = (f"USD {figure}", f"USD{figure}", f"US${figure}", f"{figure}美元", f"{plain_figure(value / _WAN)}万美元")
    return random.choice((*forms, f"${figure}"))


def _english(value: Decimal, random: Random) -> str:
    figure = random.choice((f"{value:,.2f}", _short(value)))
    return random.choice(("RMB ", "RMB", "US$", "$", "USD ", "CNY ")) + figure


def _short(value: Decimal) -> str:
    """Without cents where there are none."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


_FORMS: Mapping[str, Callable[[Decimal, Random], str]] = {
    "yuan": _yuan,
    "plain": _plain,
    "wan": _wan,
    "yi": _yi,
    "bare": _bare,
    "wanbare": _bare_wan,
    "usd": _dollars,
    "en": _english,
}
