import pytest

from services.doc_extract.understanding.party_names import names


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("宏远公司", ["宏远公司"]),
        ("张三、李四，王五", ["张三", "李四", "王五"]),
        ("张三丰和李四", ["张三丰", "李四"]),
        ("王和平", ["王和平"]),
        ("江苏和泰有限公司", ["江苏和泰有限公司"]),
        ("鲤城建行和奥林公司", ["鲤城建行", "奥林公司"]),
        ("甲厂及乙公司以及丙社", ["甲厂", "乙公司", "丙社"]),
        ("与城南支行", ["城南支行"]),
        ("向明", ["向明"]),
        ("宏远公司在", ["宏远公司"]),
        ("被告张三", ["张三"]),
        ("张", []),
    ],
)
def test_names(span: str, expected: list[str]) -> None:
    text = f"由{span}担保"
    assert [text[start:end] for start, end in names(text, 1, 1 + len(span))] == expected


@pytest.mark.parametrize(
    ("text", "end", "name"), [("泉州支行借款", 3, "泉州支行"), ("甲公司借", 2, "甲公司"), ("张三行事", 2, "张三")]
)
def test_the_last_word_of_a_name_is_completed(text: str, end: int, name: str) -> None:
    assert [text[left:right] for left, right in names(text, 0, end)] == [name]


@pytest.mark.parametrize("text", ["中国建设银行＿＿＿行（简称乙方）", "中国农业银行 县支行", "江城____公司"])
def test_a_name_whose_middle_is_blank_is_none(text: str) -> None:
    assert list(names(text, 0, 6 if "银行" in text else 2)) == []
