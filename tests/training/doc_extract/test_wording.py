from pathlib import Path

from services.doc_extract.schema import credit
from training.doc_extract.wording import Slot, parse, read


def test_slots() -> None:
    pieces = parse("由{borrower:org#2}（{borrower.short}）借{amount}，{-date:cn}，用途[[purpose|购买饲料]]。")
    assert pieces == [
        "由",
        Slot("borrower", "org", 2),
        "（",
        Slot("borrower", labelled=False, short=True),
        "）借",
        Slot("amount"),
        "，",
        Slot("date", "cn", labelled=False),
        "，用途",
        Slot("purpose", text="购买饲料"),
        "。",
    ]


def test_a_number_may_stand_before_the_form() -> None:
    assert parse("{guarantor#2:person}") == parse("{guarantor:person#2}") == [Slot("guarantor", "person", 2)]


def test_our_own_wording_names_what_there_is() -> None:
    known = {field.id for field in credit().fields}
    for wording in read():
        for piece in wording.pieces:
            if isinstance(piece, Slot):
                assert not piece.labelled or piece.name in known, (wording.source, piece)
            else:
                assert not set("{}") & set(piece), (wording.source, piece)


def test_a_file_of_sentences_has_one_wording_a_line(tmp_path: Path) -> None:
    for kind, text in (("sentences", "一{term}\n\n二\n"), ("loan_contract", "借款合同\n第一条\n")):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "a.txt").write_text(text, encoding="utf-8")
    assert [(each.kind, each.pieces) for each in read(tmp_path)] == [
        ("loan_contract", ["借款合同\n第一条"]),
        ("sentences", ["一", Slot("term")]),
        ("sentences", ["二"]),
    ]
