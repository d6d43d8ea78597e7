from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.doc_extract.finders import find_candidates
from services.doc_extract.text import BREAK, CELL
from services.doc_extract.understanding.windows import Window, windows

LABELS = {"借款人", "金额", "期限", "利率"}


def read(text: str) -> list[Window]:
    return list(windows(text, LABELS, find_candidates(text)))


def test_a_row_below_a_header_is_read_with_it() -> None:
    text = "贷款清单\n借款人\t金额（万元）\t期限\n甲公司\t100\t36个月\n乙公司\t200\t1年\n以上合计300万元"
    told = [window.text for window in read(text)]
    assert "贷款清单‖借款人|甲公司|金额（万元）|100|期限|36个月|" in told
    assert "贷款清单‖借款人|乙公司|金额（万元）|200|期限|1年|" in told


def test_labels_beside_their_values_are_no_header() -> None:
    text = "借款人\t甲公司\t金额\t100万元\n期限\t36个月\t利率\t5%"
    assert [window.text for window in read(text)] == ["‖借款人|甲公司|金额|100万元¶期限|36个月|利率|5%"]


def test_a_window_begins_with_the_title_and_what_went_before() -> None:
    text = "借款合同\n" + "甲方应当按照约定用途使用贷款。" * 40
    last = read(text)[-1]
    assert last.text.startswith("借款合同‖")
    assert (last.origin[:20] == -1).all()


def test_boilerplate_is_not_read() -> None:
    (window,) = read("合同\n本合同自签字之日起生效，双方应当遵守。\n借款金额100万元。\n未尽事宜由双方协商。")
    assert window.text.endswith("借款金额100万元。¶")
    assert "未尽事宜" not in window.text


@given(st.text(f"借款人金额甲乙1234。；，a b{CELL}{BREAK}", max_size=600))
def test_every_figure_is_read_once(text: str) -> None:
    told: Counter[int] = Counter()
    for window in read(text):
        assert len(window.text) == len(window.origin)
        own = window.origin[window.origin >= 0].tolist()
        assert [window.text[place] for place, at in enumerate(window.origin.tolist()) if at >= 0] == [
            {CELL: "|", BREAK: "¶"}.get(text[at], text[at]) for at in own
        ]
        told.update(own)
    assert all(count == 1 for count in told.values())
    assert {at for found in find_candidates(text) for at in range(found.start, found.end)} <= set(told)
