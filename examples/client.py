"""All services by the client library: `python examples/client.py ADDRESS API_KEY DOCUMENT`."""

import sys
from pathlib import Path

from bankai.client import Access, Client, OutgoingDocument
from bankai.errors import BankaiError
from bankai.intent.v1 import intent_pb2


def heard() -> list[intent_pb2.Segment]:
    """What speech recognition hears on a call."""
    said = ("我刚才按一个客服说的把钱转过去了", "现在他把我拉黑了 你们快帮我把钱拦下来啊")
    return [
        intent_pb2.Segment(segment_id=f"s{number}", speaker=intent_pb2.SPEAKER_CALLER, text=text, is_final=True)
        for number, text in enumerate(said)
    ]


def main() -> None:
    """Runs the example."""
    address, api_key, document = sys.argv[1:]
    with Client(Access(address, api_key=api_key)) as client:
        analysis = client.intent.classify("我的卡丢了，赶紧给我挂失")
        print(f"one utterance: {analysis.intents[0].intent_id} {analysis.intents[0].probability:.2f}")

        config = intent_pb2.CallConfig(call_id="call-20260101-0001", channel="ivr", language="zh")
        for answer in client.intent.follow(config, heard()):
            if isinstance(answer, intent_pb2.SegmentAnalysis):
                print(f"on the call: {answer.analysis.intents[0].intent_id}")
            else:
                print(f"the call was about {answer.main_intent_id}")

        data = Path(document).read_bytes()
        left = len(data)

        def sent(more: int) -> None:
            nonlocal left
            left -= more
            print(f"{left} bytes left to send", file=sys.stderr)

        result = client.documents.extract(OutgoingDocument(data, Path(document).name), sent=sent)
        for value in result.values:
            print(f"{value.field_id}: {value.norm or value.text}{' (review)' if value.needs_review else ''}")

        try:
            client.progress.timeline("nowhere")
        except BankaiError as error:
            print(f"{type(error).__name__} {error.reason}: {error.message}")


if __name__ == "__main__":
    main()
