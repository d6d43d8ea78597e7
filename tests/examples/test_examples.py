"""What docs/ivr.md tells an integrator to run, run against the product with its shipped models."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bankai.cli.connection import Connection
from bankai.cli.stack import plan
from tests.supervised import supervised

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    stack = plan(0, tmp_path_factory.mktemp("state"))
    with supervised(stack.processes):
        yield stack.connection


def output(connection: Connection, *command: str | Path) -> str:
    """What an example prints, run as docs/ivr.md says."""
    scripts = Path(sys.executable).parent
    done = subprocess.run(
        [*map(str, command), connection.address, str(connection.api_key)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_utterance_by_buf_curl(product: Connection) -> None:
    analysis = json.loads(output(product, EXAMPLES / "classify.sh"))["analysis"]
    assert analysis["intents"][0]["intentId"] == "card_loss_report"
    assert analysis["model"] == {"name": "intent", "version": "1"}


def test_a_call_by_buf_curl(product: Connection) -> None:
    decoder, text, messages = json.JSONDecoder(), output(product, EXAMPLES / "stream_call.sh"), []
    while text := text.lstrip():
        message, end = decoder.raw_decode(text)
        messages.append(message)
        text = text[end:]
    assert [next(iter(message)) for message in messages] == ["accepted", "analysis", "analysis", "summary"]


def test_a_call_by_python(product: Connection) -> None:
    printed = output(product, sys.executable, EXAMPLES / "ivr_stream.py")
    assert "hand over to a person: ESCALATION_REASON_SUSPECTED_FRAUD" in printed
    assert printed.splitlines()[-1] == "the call was about fraud_report"
