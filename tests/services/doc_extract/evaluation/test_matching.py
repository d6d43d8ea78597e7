import pytest

from services.doc_extract.evaluation.gold import GoldPlace, GoldValue
from services.doc_extract.evaluation.matching import match, same_place
from services.doc_extract.page import Box
from services.doc_extract.result import FieldValue
from services.doc_extract.text import Region


def gold(field: str, text: str, norm: str | None = None) -> GoldValue:
    return GoldValue(field=field, text=text, norm=norm)


def found(field: str, text: str, norm: str | None = None) -> FieldValue:
    return FieldValue(field, text, norm, 0.9, needs_review=False, start=0, end=len(text), regions=())


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (gold("term", "36个月"), found("term", "３６ 个月")),
        (gold("amount", "785万元", "7850000.00"), found("amount", "7,850,000.00元", "7850000.00")),
        (gold("amount", "785万元", "7850000.00"), found("amount", "785万元", "785.00")),
    ],
)
def test_equal_in_text_or_in_normal_form_is_right(theirs: GoldValue, ours: FieldValue) -> None:
    matched = match([theirs], [ours])
    assert (list(matched.pairs), list(matched.missed), list(matched.wrong)) == ([(theirs, ours)], [], [])


def test_a_value_in_another_role_is_wrong() -> None:
    matched = match(
        [gold("start_date", "2023年1月9日", "2023-01-09")], [found("end_date", "2023年1月9日", "2023-01-09")]
    )
    assert [len(part) for part in (matched.pairs, matched.missed, matched.wrong)] == [0, 1, 1]


def test_what_is_said_twice_counts_once() -> None:
    matched = match(
        [gold("borrower", "甲公司"), gold("borrower", "甲公司")],
        [found("borrower", "甲公司", "甲公司"), found("borrower", "甲 公司", "甲公司")],
    )
    assert [len(part) for part in (matched.pairs, matched.missed, matched.wrong)] == [1, 0, 0]


def test_each_value_matches_one() -> None:
    matched = match([gold("amount", "1元", "1.00"), gold("amount", "2元", "2.00")], [found("amount", "1元", "1.00")])
    assert [value.text for value in matched.missed] == ["2元"]


@pytest.mark.parametrize(
    ("box", "page", "same"),
    [
        (Box(0, 0, 10, 10), 1, True),
        (Box(0, 0, 10, 21), 1, False),
        (Box(5, 0, 15, 10), 1, False),
        (Box(0, 0, 10, 10), 2, False),
        (Box(3, 3, 3, 3), 1, False),
    ],
)
def test_places_are_the_same_from_half_of_their_area(box: Box, page: int, same: bool) -> None:  # noqa: FBT001  # what is expected
    assert same_place([GoldPlace(page=1, boxes=[(0, 0, 10, 10)])], [Region(page, (box,))]) is same


def test_two_lines_are_compared_together() -> None:
    place = GoldPlace(page=1, boxes=[(0, 0, 10, 10), (0, 10, 5, 20)])
    assert same_place([place], [Region(1, (Box(0, 0, 10, 10), Box(0, 10, 5, 20)))])


def test_boxes_that_overlap_are_counted_once() -> None:
    place = GoldPlace(page=1, boxes=[(0, 0, 10, 10)])
    assert same_place([place], [Region(1, (Box(0, 0, 10, 10), Box(0, 0, 10, 10)))])
    assert not same_place([place], [Region(1, (Box(0, 0, 10, 10), Box(0, 0, 40, 10), Box(20, 0, 40, 10)))])


def test_places_on_other_pages_count_too() -> None:
    place = GoldPlace(page=1, boxes=[(0, 0, 10, 10)])
    assert not same_place([place], [Region(1, (Box(0, 0, 10, 10),)), Region(2, (Box(0, 0, 10, 10),))])


def test_equal_text_is_matched_before_an_equal_normal_form() -> None:
    gold_values = [gold("term", "12个月", "P12M"), gold("term", "一年")]
    found_values = [found("term", "一年", "P12M"), found("term", "1年", "P1Y")]
    matched = match(gold_values, found_values)
    assert [(theirs.text, ours.text) for theirs, ours in matched.pairs] == [("一年", "一年")]
