import hashlib
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bankai.errors import BankaiError
from bankai.loopback import free_ports
from services.progress_monitor.sources import source as source_module
from services.progress_monitor.sources.roots import Roots
from services.progress_monitor.spool import named
from tests.services.s3 import S3, environment, s3

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def storage() -> Iterator[S3]:
    with s3() as running:
        yield running


async def taken(uri: str, *roots: str, most: int = 1 << 20) -> bytes:
    """What is taken in from an address; it is gone afterwards."""
    source = await Roots((), roots).source(uri)
    async with named(source, most) as file:
        data = file.path.read_bytes()
        assert hashlib.sha256(data).hexdigest() == file.sha256
    assert not file.path.exists()
    return data


async def reason(uri: str, *roots: str, most: int = 1 << 20) -> str:
    with pytest.raises(BankaiError) as caught:
        await taken(uri, *roots, most=most)
    return caught.value.reason


@pytest.mark.parametrize("key", ["a.tif", "deep/er/a.tif", "with space.tif", "汉字.tif", "per%20cent.tif", "a?b#c.tif"])
async def test_an_object_comes_whole_whatever_its_key(storage: S3, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setattr(source_module, "PIECE", 1000)
    bucket, data = storage.new_bucket(), os.urandom(4567)
    assert await taken(storage.put(bucket, key, data), f"s3://{bucket}") == data


async def test_only_what_lies_below_a_root_is_read(storage: S3) -> None:
    bucket = storage.new_bucket()
    for key in ("in/a.tif", "inside/b.tif", "out/c.tif"):
        storage.put(bucket, key, b"x")
    root = f"s3://{bucket}/in"
    assert await taken(f"s3://{bucket}/in/a.tif", root) == b"x"
    for uri in (
        f"s3://{bucket}/inside/b.tif",
        f"s3://{bucket}/out/c.tif",
        f"s3://{bucket}/in/../out/c.tif",
        f"s3://{bucket}/in/./../out/c.tif",
        f"s3://{bucket}/in//a.tif",
        f"s3://{bucket}/in/",
        f"s3://{bucket}",
        "s3://",
        f"s3://{bucket}/in/a\n.tif",
        f"http://127.0.0.1/{bucket}/in/a.tif",
        "/etc/passwd",
        "file:///etc/passwd",
        "file:///%00",
    ):
        assert await reason(uri, root) == "URI_NOT_ALLOWED", uri


async def test_what_is_not_there_or_too_large(storage: S3) -> None:
    bucket = storage.new_bucket()
    root = f"s3://{bucket}"
    assert await reason(f"{root}/none.tif", root) == "URI_NOT_FOUND"
    assert await reason("s3://no-such-bucket/a.tif", "s3://no-such-bucket") == "URI_NOT_FOUND"
    uri = storage.put(bucket, "large.tif", bytes(1001))
    assert await reason(uri, root, most=1000) == "IMAGE_TOO_LARGE"
    assert len(await taken(uri, root, most=1001)) == 1001


async def test_an_object_that_is_put_anew_meanwhile_is_not_mixed(storage: S3) -> None:
    bucket = storage.new_bucket()
    source = await Roots((), (f"s3://{bucket}",)).source(storage.put(bucket, "a.tif", b"old"))
    stat = await source.stat()
    storage.put(bucket, "a.tif", b"new")
    with pytest.raises(BankaiError) as caught:
        await source.read(0, 3, stat)
    assert caught.value.reason == "URI_UNAVAILABLE"


async def test_a_storage_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(f"http://127.0.0.1:{free_ports(1)[0]}").items():
        monkeypatch.setenv(name, value)
    assert await reason("s3://bucket/a.tif", "s3://bucket") == "URI_UNAVAILABLE"


async def test_a_storage_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:  # the library's
            self.send_response(403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        for name, value in environment(f"http://127.0.0.1:{server.server_port}").items():
            monkeypatch.setenv(name, value)
        assert await reason("s3://bucket/a.tif", "s3://bucket") == "URI_REFUSED"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_links_do_not_lead_out_of_a_folder(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "secret.tif").write_bytes(b"x")
    (inside / "link.tif").symlink_to(tmp_path / "secret.tif")
    (inside / "loop.tif").symlink_to(inside / "loop.tif")
    (inside / "a b.tif").write_bytes(b"y")
    roots = Roots((inside,), ())
    for name in ("link.tif", "loop.tif", "../secret.tif", "%2e%2e/secret.tif"):
        with pytest.raises(BankaiError) as caught:
            await roots.source(f"file://{inside}/{name}")
        assert caught.value.reason == "URI_NOT_ALLOWED", name
    source = await roots.source(f"file://{inside}/a%20b.tif")
    assert await source.read(0, 1, await source.stat()) == b"y"
