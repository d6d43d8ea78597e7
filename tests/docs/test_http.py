"""The commands of docs/gateway/http.md, run against the product with its shipped models."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from openapi_spec_validator import validate

from bankai.cli.stack import Stack, plan
from tests.docs.pages import ROOT
from tests.supervised import supervised

PAGE = ROOT / "docs" / "gateway" / "http.md"
COMMANDS = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = plan(0, tmp_path_factory.mktemp("state"))
    with supervised(stack.processes):
        yield stack


@pytest.fixture
def printed(product: Stack, request: pytest.FixtureRequest) -> str:
    """What the commands of one block print."""
    text = COMMANDS[request.param].replace("127.0.0.1:50052", product.http)
    text = text.replace("var/dev/api-key", str(product.key_file))
    done = subprocess.run(["sh", "-ec", text], capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("printed", [0], indirect=True)
def test_one_call(printed: str) -> None:
    (intent,) = json.loads(printed)["analysis"]["intents"]
    assert (intent["intentId"], intent["holds"]) == ("card_loss_report", True)


@pytest.mark.parametrize("printed", [1], indirect=True)
def test_a_stream(printed: str) -> None:
    told = [json.loads(line.removeprefix("data: ")) for line in printed.splitlines() if line.startswith("data: ")]
    assert [next(iter(message), None) for message in told] == ["accepted", "analysis", "summary", None]
    assert printed.endswith("event: end\ndata: {}\n\n")
    assert told[2]["summary"]["segmentCount"] == "1"


@pytest.mark.parametrize("printed", [2], indirect=True)
def test_a_document(printed: str) -> None:
    result = json.loads(printed)["result"]
    assert result["requestId"] == "loan-4711"
    assert result["values"]


@pytest.mark.parametrize("printed", [3], indirect=True)
def test_an_error(printed: str) -> None:
    error = json.loads(printed)["error"]
    assert (error["code"], error["details"][0]["reason"]) == (400, "JSON_INVALID")
    assert json.dumps(error["message"]) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("printed", [4], indirect=True)
def test_what_there_is(printed: str) -> None:
    document, end = json.JSONDecoder().raw_decode(printed)
    validate(document)
    assert "/v1/bankai.doc_extract.v1.DocExtractService/Extract" in document["paths"]
    assert "/v1/google.longrunning.Operations/GetOperation" in document["paths"]
    assert printed[end:] == '{"status": "ALIVE"}{"status": "SERVING"}'


def test_every_block_is_run() -> None:
    assert len(COMMANDS) == 5
