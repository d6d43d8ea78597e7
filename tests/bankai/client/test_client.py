"""The client library against the running product, as a bank's programs use it."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import MethodOptions

from bankai.client import Access, AsyncClient, Client, OutgoingDocument
from bankai.client.connecting import SERVICE_CONFIG
from bankai.doc_extract.v1 import doc_extract_pb2
from bankai.errors import InvalidRequestError, NotFoundError, UnauthenticatedError, UnavailableError
from bankai.intent.v1 import intent_pb2
from bankai.loopback import HOST, free_ports
from bankai.progress.v1 import progress_pb2

ROOT = Path(__file__).parents[3]
DOCUMENT = Path(str(files("services.doc_extract.cli"))) / "samples" / "approval_notice.pdf"
READY = "bankai is up: "
SERVICES = {
    service.full_name: service
    for file in (intent_pb2, doc_extract_pb2, progress_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
}


@dataclass(frozen=True)
class Product:
    """A running `bankai up`: where it speaks gRPC and JSON, and its key."""

    address: str
    http: str
    key: str

    @property
    def access(self) -> Access:
        return Access(self.address, api_key=self.key)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("up")
    http = f"{HOST}:{free_ports(1)[0]}"
    command = [sys.executable, "-c", "from bankai.cli.app import main; main()", "up", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BANKAI_GATEWAY_HTTP__LISTEN": http}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder, env=environment)
    assert process.stdout is not None
    try:
        address = next(line for line in process.stdout if READY in line).split(READY)[1].split()[0]
        yield Product(address, http, (folder / "var" / "dev" / "api-key").read_text().strip())
    finally:
        process.terminate()
        process.communicate(timeout=60)


def segments(*texts: str) -> Iterator[intent_pb2.Segment]:
    for number, text in enumerate(texts):
        yield intent_pb2.Segment(segment_id=f"s{number}", speaker=intent_pb2.SPEAKER_CALLER, text=text, is_final=True)


def test_the_service_config_is_about_methods_that_exist_and_repeats_only_those_that_may_be() -> None:
    config = json.loads(files("bankai.client").joinpath(SERVICE_CONFIG).read_text(encoding="utf-8"))
    named = {(each["service"], each["method"]): rule for rule in config["methodConfig"] for each in rule["name"]}
    for (service, name), rule in named.items():
        method = SERVICES[service].methods_by_name[name]
        level = method.GetOptions().idempotency_level
        repeatable = level != MethodOptions.IDEMPOTENCY_UNKNOWN and not method.client_streaming
        assert ("retryPolicy" in rule) == repeatable, name
    unnamed = {
        method.name
        for service in SERVICES.values()
        for method in service.methods
        if (service.full_name, method.name) not in named
    }
    streams = {method.name for service in SERVICES.values() for method in service.methods if method.server_streaming}
    assert unnamed == streams  # which last as long as they last


@pytest.mark.slow
@pytest.mark.timeout(300)
class TestAgainstTheProduct:
    def test_every_service(self, product: Product, tmp_path: Path) -> None:
        with Client(product.access) as client:
            assert client.intent.classify("我的卡丢了，赶紧给我挂失").intents[0].intent_id == "card_loss_report"
            assert len(client.intent.intents().intents) > 40

            config = intent_pb2.CallConfig(call_id="client-1", language="zh")
            *answers, summary = client.intent.follow(config, segments("我的卡丢了", "谢谢，没有别的事了"))
            assert [type(answer).__name__ for answer in answers] == ["SegmentAnalysis"] * 2
            assert isinstance(summary, intent_pb2.CallSummary)
            assert summary.segment_count == 2

            sent: list[int] = []
            document = OutgoingDocument(DOCUMENT.read_bytes(), DOCUMENT.name)
            result = client.documents.extract(document, sent=sent.append)
            assert sum(sent) == len(document.data)
            assert result.values
            found = client.documents.results(doc_extract_pb2.ListResultsRequest(text=DOCUMENT.name, page_size=1))
            assert [summary.result_id for summary in found] == [result.result_id]
            assert client.documents.document(result.result_id) == document.data
            client.documents.delete(result.result_id)
            with pytest.raises(NotFoundError) as gone:
                client.documents.result(result.result_id)
            assert gone.value.reason == "RESULT_NOT_FOUND"

            assert list(client.progress.projects(progress_pb2.ListProjectsRequest())) == []
            with pytest.raises(NotFoundError) as nowhere:
                client.progress.timeline("nowhere")
            assert nowhere.value.reason == "PROJECT_NOT_FOUND"

    def test_errors_say_what_is_wrong(self, product: Product) -> None:
        with Client(product.access) as client, pytest.raises(InvalidRequestError) as wrong:
            client.intent.classify("")
        assert wrong.value.violations[0].field == "text"
        with Client(Access(product.address, api_key="nonsense")) as client, pytest.raises(UnauthenticatedError):
            client.intent.classify("我的卡丢了")
        with (
            Client(Access(f"{HOST}:{free_ports(1)[0]}")) as client,
            pytest.raises(UnavailableError) as away,
        ):
            client.intent.classify("我的卡丢了", timeout_s=2)
        assert away.value.reason == "UNAVAILABLE"

    def test_threads_share_a_client(self, product: Product) -> None:
        with Client(product.access) as client:
            answers: list[str] = []
            threads = [
                threading.Thread(
                    target=lambda: answers.append(client.intent.classify("我的卡丢了").intents[0].intent_id)
                )
                for _ in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert answers == ["card_loss_report"] * 8

    async def test_in_an_event_loop(self, product: Product) -> None:
        async with AsyncClient(product.access) as client:
            analysis = await client.intent.classify("我的卡丢了")
            assert analysis.intents[0].intent_id == "card_loss_report"

    def test_the_example(self, product: Product) -> None:
        done = subprocess.run(
            [sys.executable, "examples/client.py", product.address, product.key, str(DOCUMENT)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert "one utterance: card_loss_report" in done.stdout
        assert "the call was about " in done.stdout
        assert "amount" in done.stdout
        assert "NotFoundError PROJECT_NOT_FOUND" in done.stdout

    def test_the_example_in_java(self, product: Product) -> None:
        if shutil.which("java") is None:
            pytest.skip("there is no java")
        done = subprocess.run(
            ["java", "-Dfile.encoding=UTF-8", "examples/Classify.java", product.http, product.key],
            cwd=ROOT,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["analysis"]["intents"][0]["intentId"] == "card_loss_report"
