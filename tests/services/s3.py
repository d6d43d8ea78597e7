"""An S3 server for the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

import obstore
import pytest
from obstore.store import S3Store


class S3:
    """A running server, to which this process's environment points.

    Args:
        address: Where it listens.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._buckets = 0

    def new_bucket(self) -> str:
        """Makes a bucket; returns its name."""
        self._buckets += 1
        name = f"bucket-{self._buckets}"
        with urlopen(Request(f"{self.address}/{name}", method="PUT")):
            return name

    def put(self, bucket: str, key: str, data: bytes) -> str:
        """Keeps an object; returns its address."""
        obstore.put(S3Store(bucket), key, data)
        return f"s3://{bucket}/{key}"


@contextmanager
def s3() -> Iterator[S3]:
    """Runs a server from nothing."""
    server_module = pytest.importorskip("moto.server", reason="needs the development requirements")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(f"http://{host}:{port}").items():
            patch.setenv(name, value)
        try:
            # Servers of one process share what they keep.
            with urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")):
                yield S3(f"http://{host}:{port}")
        finally:
            server.stop()


def environment(address: str) -> dict[str, str]:
    """The variables that point to a server."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
