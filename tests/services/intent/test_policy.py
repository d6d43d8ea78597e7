"""What the gateway's policy means for calls, over real gRPC."""

from pathlib import Path
from typing import Any

import grpc
import pytest

from bankai.intent.v1 import intent_pb2 as pb
from bankai.status import from_rpc_error
from bankai.vouching import Vouch
from tests.services.intent.conftest import Service, Start
from tests.vouching import Voucher

SERVICE = "/bankai.intent.v1.IntentService"
IVR, BRANCH = Vouch("ivr", languages=("zh",)), Vouch("branch")


@pytest.fixture
def voucher(tmp_path: Path) -> Voucher:
    return Voucher(tmp_path)


@pytest.fixture
async def service(start: Start, voucher: Voucher) -> Service:
    return await start(gateway_keys=voucher.public)


async def reason(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return from_rpc_error(caught.value).reason


async def test_a_service_that_knows_its_gateway_serves_nobody_else(service: Service) -> None:
    assert await reason(service.stub.Classify(pb.ClassifyRequest(text="查余额"))) == "NOT_VOUCHED"


@pytest.mark.parametrize("language", ["en", ""])
async def test_languages(service: Service, voucher: Voucher, language: str) -> None:
    method = f"{SERVICE}/Classify"
    request = pb.ClassifyRequest(text="查余额", language=language)
    assert (
        await reason(service.stub.Classify(request, metadata=voucher.metadata(IVR, method))) == "LANGUAGE_NOT_ALLOWED"
    )
    await service.stub.Classify(request, metadata=voucher.metadata(BRANCH, method))
    request.language = "zh"
    await service.stub.Classify(request, metadata=voucher.metadata(IVR, method))


async def test_a_stream_s_language(service: Service, voucher: Voucher) -> None:
    call = service.stub.StreamCall(metadata=voucher.metadata(IVR, f"{SERVICE}/StreamCall"))
    await call.write(pb.StreamCallRequest(config=pb.CallConfig(call_id="c", language="en")))
    assert await reason(call.read()) == "LANGUAGE_NOT_ALLOWED"


async def test_a_call_s_id_is_its_channel_s_own(service: Service, voucher: Voucher) -> None:
    async def opened(vouch: Vouch, *, resume: bool) -> Any:
        call = service.stub.StreamCall(metadata=voucher.metadata(vouch, f"{SERVICE}/StreamCall"))
        config = pb.CallConfig(call_id="c-1", language="zh", resume=pb.ResumePoint() if resume else None)
        await call.write(pb.StreamCallRequest(config=config))
        return call

    mine = await opened(IVR, resume=False)
    accepted = (await mine.read()).accepted
    assert accepted.call_id == "c-1"
    assert await reason((await opened(BRANCH, resume=True)).read()) == "CALL_NOT_FOUND"
    theirs = await opened(BRANCH, resume=False)
    assert (await theirs.read()).accepted.call_id == "c-1"
    again = await opened(IVR, resume=True)
    assert (await again.read()).accepted.resumed
    for call in (mine, theirs, again):
        call.cancel()
