"""How core banking sends a document: `python examples/extract_document.py ADDRESS API_KEY FILE`.

Sends the file in chunks and prints what may be acted on, what a person must confirm first, and what contradicts itself.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import grpc

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.doc_extract.v1 import doc_extract_pb2_grpc

CHUNK = 256 * 1024


def requests(file: Path) -> Iterator[pb.ExtractRequest]:
    """The call's requests: first the config, then the file's bytes. Sent again under the same id they are free."""
    yield pb.ExtractRequest(config=pb.ExtractConfig(request_id=str(uuid4()), file_name=file.name))
    data = file.read_bytes()
    for start in range(0, len(data), CHUNK):
        yield pb.ExtractRequest(chunk=data[start : start + CHUNK])


def extract(address: str, api_key: str, file: Path) -> None:
    """Extracts the file and prints its fields."""
    with grpc.insecure_channel(address) as channel:
        stub = doc_extract_pb2_grpc.DocExtractServiceStub(channel)
        metadata = (("authorization", f"Bearer {api_key}"),)
        result = stub.Extract(requests(file), metadata=metadata, timeout=120).result
    for value in result.values:
        state = "to be confirmed" if value.needs_review else "sure"
        print(f"{value.field_id:20} {value.norm or value.text:40} {value.confidence:.2f} {state}")
    for finding in result.findings:
        print(f"! {finding.check}: {finding.message}")


if __name__ == "__main__":
    extract(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
