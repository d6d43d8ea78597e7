"""Finds what may be a value: spans of text that have the form of an amount, a rate, a term, a date, a code."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from services.doc_extract.candidate import Candidate, ValueKind
from services.doc_extract.normal_forms.currencies import AFTER, BEFORE
from services.doc_extract.normal_forms.dates import MONTHS
from services.doc_extract.normal_forms.folding import fold
from services.doc_extract.normal_forms.numerals import HAN
from services.doc_extract.normal_forms.registry import normalise

_S = r" {0,8}"
_FIGURE = r"(?<![\d.])(?:\d{1,3}(?:, ?\d{3}){1,5}|\d{1,15})(?:\.\d{1,6})?"
_FINANCIAL = "〇零壹贰貳叁參叄肆伍陆陸柒捌玖拾佰仟万萬亿億"
_DISTINCT = "壹贰貳叁參叄肆伍陆陸柒捌玖拾"
"""What makes a row of numerals financial ones; the others stand in everyday numbers, too."""
_PLAIN = "〇零一二三四五六七八九两十百千万亿"
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_N = r"\d{1,3}(?:\.\d{1,8})?"
_SPREAD = (
    rf"(?:加|减|上浮|下浮|[+-]|plus|minus){_S}(?:点|上)?{_S}{_N}{_S}(?:个?基点|bps?|BPs?|basis points?|个?百分点|%)"
)

_AMOUNT_IN_FIGURES = (
    rf"(?:{BEFORE}{_S}(?:[(]?大写[)]?{_S}:?{_S})?)?"
    rf"(?:{_FIGURE}{_S}(?:亿|百万|千万|万|千|百)?{_S}(?:(?:{AFTER})|[元圆園](?:整|正)?)"
    rf"|{_FIGURE}{_S}(?:亿|千万|百万|万)(?![分个]))"
    rf"|{BEFORE}{_S}{_FIGURE}(?:{_S}(?:million|billion|thousand))?(?!{_S}[%‰])"
)
_AMOUNT_IN_WORDS = (
    rf"(?:人民币{_S}(?:[(]?大写[)]?{_S}:?{_S})?)?"
    rf"(?<![{_FINANCIAL}])(?=[{_FINANCIAL}\d]{{0,6}}[{_DISTINCT}])[{_FINANCIAL}\d][{_FINANCIAL}\d{HAN} ]{{0,36}}"
    rf"(?:[元圆園](?:[{_FINANCIAL}]角)?(?:零?[{_FINANCIAL}]分)?(?:整|正)?|(?<=[万亿萬億])(?:整|正)?(?![{HAN}年月]))"
)
_AMOUNT_IN_PLAIN_WORDS = rf"(?:人民币)?(?<![{_PLAIN}])[一二三四五六七八九两][{_PLAIN}]{{1,12}}{_S}元(?:整|正)?"
_FLOATING = (
    rf"(?:(?:1|一|5|五){_S}年期?(?:以上)?(?:的)?)?(?:LPR|贷款市场报价利率)(?:[(][^)\n\t]{{0,20}}[)])?{_S}(?:的基础上)?{_SPREAD}"
    rf"|(?:\d-year )?(?:LPR|loan prime rate) {_SPREAD}"
)
_RELATIVE = (
    rf"(?:(?:中国)?(?:人民银行|央行)[^，。；\n\t]{{0,20}})?(?:基准|挂牌)年?利率(?:{_N}{_S}[%‰])?{_S}(?:的?基础)?上?{_S}"
    rf"(?:上浮|下浮|上调|下调){_S}(?:{_N}{_S}%|百分之[{HAN}]{{1,5}})"
)
_NO_SHARE = "".join(f"(?<!{word})" for word in ("上浮", "下浮", "上调", "下调"))
"""What stands behind these is a share of a rate, not a rate."""
_FIXED = (
    rf"(?:日{_S})?(?:万|千|百)分之{_S}(?:{_N}|[{HAN}点]{{1,8}})"
    rf"|(?<![\d.]){_NO_SHARE}{_N}{_S}(?:%|‰)(?:{_S}/{_S}[年月日])?(?: per annum| p\.a\.)?"
    rf"|(?<=[息率为按]){_S}(?:{_N}|[{HAN}]){_S}分(?:[{HAN}\d](?:厘|(?![\d{HAN}年月日个%])))?(?![之行公])|(?<=[息率为按])(?:{_N}|[{HAN}])厘"
)
_PENALTY = (
    rf"(?:加收|上浮|加计|上调|加罚|另加){_S}(?:{_N}{_S}%|百分之[{HAN}]{{1,5}})"
    rf"|(?<![\d.])\d(?:\.\d)?{_S}倍|日{_S}万分之{_S}(?:{_N}|[{HAN}点]{{1,5}})"
)
_TERM = (
    rf"(?<![\d.第年{HAN}])(?:(?:\d{{1,2}}|[{HAN}]{{1,3}}|半){_S}(?:周年|个?年)"
    rf"(?:半|零?{_S}(?:\d{{1,2}}|[{HAN}]{{1,3}}){_S}个月|(?![期度初末底月{HAN}\d]))"
    rf"|(?:\d{{1,3}}|[{HAN}]{{1,4}}){_S}个月|(?:\d{{1,4}}|[{HAN}]{{1,5}}){_S}天)"
    r"|\b(?:\d{1,3}|[a-z]{2,12}(?:-[a-z]{2,6})?)(?: \(\d{1,3}\))?[ -](?:months?|years?|days?)\b"
)
_DATE = (
    rf"(?<!\d)(?:\d{{4}}|[〇零○一二三四五六七八九贰壹叁]{{4}}){_S}年{_S}"
    rf"(?:\d{{1,2}}|[{HAN}]{{1,3}}){_S}月{_S}(?:\d{{1,2}}|[{HAN}]{{1,3}}){_S}[日号]"
    r"|(?<![\d.-])(?:19|20)\d\d[-./](?:1[0-2]|0?[1-9])[-./](?:3[01]|[12]\d|0?[1-9])(?![\d.])"
    rf"|\b(?:{_MONTH})\.? \d{{1,2}}(?:st|nd|rd|th)?, ?\d{{4}}"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?(?: day of)? (?:{_MONTH}),? \d{{4}}"
)
_CREDIT_CODE = r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}"
_IDENTITY = rf"(?<![0-9A-Za-z])(?:\d{{17}}[\dXx]|{_CREDIT_CODE})(?![0-9A-Za-z])"
_ACCOUNT = r"(?<![\dA-Za-z.,-])\d(?:[ -]?\d){11,24}(?![\dA-Za-z]|[.,]\d)"

_PATTERNS = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (ValueKind.AMOUNT, _AMOUNT_IN_FIGURES),
        (ValueKind.AMOUNT, _AMOUNT_IN_WORDS),
        (ValueKind.AMOUNT, _AMOUNT_IN_PLAIN_WORDS),
        (ValueKind.RATE, _FLOATING),
        (ValueKind.RATE, _RELATIVE),
        (ValueKind.RATE, _FIXED),
        (ValueKind.PENALTY_RATE, _PENALTY),
        (ValueKind.TERM, _TERM),
        (ValueKind.DATE, _DATE),
        (ValueKind.IDENTITY, _IDENTITY),
        (ValueKind.ACCOUNT, _ACCOUNT),
    )
)
"""Every repetition is bounded, so that no text takes more than linear time."""

_BEFORE = 12
"""Characters before a value that may name its unit or period."""


def find_candidates(text: str) -> list[Candidate]:
    """Everything in a text that has the form of a value, in the order of the text.

    Of overlapping spans of one kind the longest is given; spans of different kinds may overlap. A span never crosses a
    cell or a line, and always has a normal form: a blank form gives nothing.
    """
    folded = fold(text).replace("_", " ")  # what is left of a blank that was filled in
    found: dict[ValueKind, list[Candidate]] = {}
    for kind, pattern in _PATTERNS:
        found.setdefault(kind, []).extend(_matches(kind, pattern, folded, text))
    kept = (candidate for each in found.values() for candidate in _longest(each))
    return sorted(kept, key=lambda candidate: (candidate.start, candidate.end))


def _matches(kind: ValueKind, pattern: re.Pattern[str], folded: str, text: str) -> Iterator[Candidate]:
    for match in pattern.finditer(folded):
        start, end = match.span()
        start += len(match[0]) - len(match[0].lstrip())
        norm = normalise(kind, text[start:end], folded[max(0, start - _BEFORE) : start])
        if norm is not None:
            yield Candidate(kind, start, end, text[start:end], norm)


def _longest(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Those that no longer one overlaps."""
    starts: list[int] = []
    ends: list[int] = []
    for candidate in sorted(candidates, key=lambda each: (each.start - each.end, each.start)):
        place = bisect_right(starts, candidate.start)
        free_before = place == 0 or ends[place - 1] <= candidate.start
        free_behind = place == len(starts) or candidate.end <= starts[place]
        if free_before and free_behind:
            starts.insert(place, candidate.start)
            ends.insert(place, candidate.end)
            yield candidate
