from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.doc_extract.text import BREAK, CELL
from services.doc_extract.understanding.windows import windows

LABELS = {"借款人", "金额", "期限", "利率"}


def test_a_row_below_a_header_is_read_with_it() -> None:
    text = "贷款清单\n借款人\t金额（万元）\t期限\n甲公司\t100\t36个月\n乙公司\t200\t1年\n以上合计300万元"
    read = [window.text for window in windows(text, LABELS)]
    assert "贷款清单‖借款人|甲公司|金额（万元）|100|期限|36个月|" in read
    assert "贷款清单‖借款人|乙公司|金额（万元）|200|期限|1年|" in read


def test_labels_beside_their_values_are_no_header() -> None:
    text = "借款人\t甲公司\t金额\t100万元\n期限\t36个月\t利率\t5%"
    assert [window.text for window in windows(text, LABELS)] == ["‖借款人|甲公司|金额|100万元¶期限|36个月|利率|5%"]


def test_a_window_begins_with_the_title_and_what_went_before() -> None:
    text = "借款合同\n" + "甲方应当按照约定使用贷款。" * 40
    last = list(windows(text, LABELS))[-1]
    assert last.text.startswith("借款合同‖")
    assert (last.origin[:20] == -1).all()


@given(st.text(f"借款人金额甲乙1234。；，a b{CELL}{BREAK}", max_size=600))
def test_every_character_is_read_once(text: str) -> None:
    read: Counter[int] = Counter()
    for window in windows(text, LABELS):
        assert len(window.text) == len(window.origin)
        own = window.origin[window.origin >= 0].tolist()
        assert [window.text[place] for place, at in enumerate(window.origin.tolist()) if at >= 0] == [
            {CELL: "|", BREAK: "¶"}.get(text[at], text[at]) for at in own
        ]
        read.update(own)
    assert all(count == 1 for count in read.values())
    assert {at for at, letter in enumerate(text) if letter not in {CELL, BREAK}} <= set(read)
