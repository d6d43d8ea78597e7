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
