"""How an IVR platform follows a live call: `python examples/ivr_stream.py ADDRESS API_KEY`.

Sends segments as they are recognised and acts on the answers as they come; both directions run at once.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

import grpc

from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc

HEARD = (
    ("s1", pb.SPEAKER_AGENT, "您好请问有什么可以帮您"),
    ("s2", pb.SPEAKER_CALLER, "我刚才按一个客服说的把钱转过去了 他说是什么安全账户"),
    ("s3", pb.SPEAKER_CALLER, "现在他把我拉黑了 你们快帮我把钱拦下来啊"),
)
"""What speech recognition hears: segment id, speaker, final text."""


async def transcript() -> AsyncIterator[pb.StreamCallRequest]:
    """The stream's requests: first the config, then a segment for everything that is heard."""
    yield pb.StreamCallRequest(config=pb.CallConfig(call_id="call-20250101-0001", channel="ivr", language="zh"))
    for number, (segment_id, speaker, text) in enumerate(HEARD):
        segment = pb.Segment(
            segment_id=segment_id,
            speaker=speaker,
            text=text,
            is_final=True,
            start_ms=number * 4000,
            end_ms=number * 4000 + 3000,
        )
        yield pb.StreamCallRequest(segment=segment)


async def follow(address: str, api_key: str) -> None:
    """Streams the call and prints what a platform would act on."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = intent_pb2_grpc.IntentServiceStub(channel)
        async for response in stub.StreamCall(transcript(), metadata=(("authorization", f"Bearer {api_key}"),)):
            match response.WhichOneof("message"):
                case "analysis" if response.analysis.speaker != pb.SPEAKER_AGENT:
                    utterance, call = response.analysis.analysis, response.analysis.call
                    best = utterance.intents[0]
                    print(f"{response.analysis.segment_id}: {best.intent_id} {best.probability:.2f}, ", end="")
                    print(f"{utterance.emotion.emotion_id} {utterance.emotion.intensity:.1f}")
                    for reason in call.escalation.reasons if call.escalation.advised else ():
                        print(f"  hand over to a person: {pb.EscalationReason.Name(reason)}")
                case "rejected":
                    print(f"{response.rejected.segment_id} was not used: {response.rejected.message}")
                case "reconnect":
                    print("open a new stream with config.resume set to the last segment answered")
                case "summary":
                    print(f"the call was about {response.summary.main_intent_id}")


if __name__ == "__main__":
    asyncio.run(follow(sys.argv[1], sys.argv[2]))
