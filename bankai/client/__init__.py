"""The client library, for programs of the bank that call a gateway.

    from bankai.client import Access, Client

    with Client(Access("gateway.bank.example:443", api_key=key, ca=Path("ca.pem"))) as client:
        analysis = client.intent.classify("我的卡丢了")
        print(analysis.intents[0].intent_id, analysis.emotion.emotion_id)

Every error is a `bankai.errors.BankaiError` with a stable `reason`: its class says what kind it is, `retry_after` when
to try again, `violations` which field of the request was wrong. `AsyncClient` is the same for programs with an event
loop.
"""

from bankai.client.asynchronous import AsyncClient
from bankai.client.connecting import Access
from bankai.client.documents import OutgoingDocument
from bankai.client.synchronous import Client

__all__ = ["Access", "AsyncClient", "Client", "OutgoingDocument"]
