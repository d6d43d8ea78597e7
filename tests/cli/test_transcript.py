"""Transcripts in plain text and JSON lines."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.evaluation.inputs import BadInputError
from services.intent.cli.transcript import Line, parse_line, read_transcripts


def test_plain_text(tmp_path: Path) -> None:
    file = tmp_path / "call.txt"
    file.write_text("Agent: 您好\n\n客户： 我卡丢了 \na: 好的\n坐席:请稍等\nc: ok: fine\n", encoding="utf-8")
    (call,) = read_transcripts(file)
    assert call == (
        Line("agent", "您好"),
        Line("caller", "我卡丢了"),
        Line("agent", "好的"),
        Line("agent", "请稍等"),
        Line("caller", "ok: fine"),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("caller: hi\nrobot: hi\n", "line 2: must begin with"),
        ("caller:\n", "line 1: must begin with"),
        ("\n", "holds no line of a call"),
        ("caller: " + "x" * 2001, "line 1: is longer than 2,000"),
        ('{"turns": []}', "line 1: 'turns' must be"),
        ('{"turns": [{"speaker": "caller", "text": ""}]}', "line 1: turn 1: 'text' is empty"),
        ('{"turns": [{"speaker": "x"}]}', "line 1: turn 1: 'speaker' must be"),
    ],
)
def test_bad_transcripts_name_their_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "call.txt"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(BadInputError, match=message):
        read_transcripts(file)


@given(st.sampled_from(["caller", "agent"]), st.text(min_size=1).map(str.strip).filter(lambda t: t and "\n" not in t))
def test_any_words_come_back(speaker: str, text: str) -> None:
    line = parse_line(f"{speaker}: {text}")
    assert line is None or (line.speaker, line.text) == (speaker, text)
    assert line is not None or not text.isprintable()
