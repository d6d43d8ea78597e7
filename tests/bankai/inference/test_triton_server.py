"""The wrapper around the server: it says why it cannot start, and leaves nothing behind."""

import time
from pathlib import Path

import psutil
import pytest

from bankai.errors import UnavailableError
from bankai.inference.triton_server import TritonInstallation, TritonServer


def test_before_make_triton(tmp_path: Path) -> None:
    server = TritonServer(tmp_path, installation=TritonInstallation(tmp_path))
    with pytest.raises(UnavailableError, match="make triton") as caught:
        server.start()
    assert caught.value.reason == "TRITON_MISSING"
    server.stop()  # harmless


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_stops_the_start(tmp_path: Path, triton_installation: TritonInstallation) -> None:
    folder = tmp_path / "models" / "broken"
    folder.mkdir(parents=True)
    (folder / "config.pbtxt").write_text('backend: "onnxruntime"')
    log = tmp_path / "log.txt"
    server = TritonServer(tmp_path / "models", log=log, installation=triton_installation)
    with pytest.raises(UnavailableError, match=r"log\.txt says why") as caught:
        server.start()
    assert caught.value.reason == "TRITON_START_FAILED"
    assert server.pid is None
    assert b"broken" in log.read_bytes()


@pytest.mark.slow
def test_only_the_models_asked_for_are_loaded_and_nothing_is_left_behind(
    repository: Path, triton_installation: TritonInstallation
) -> None:
    before = set(Path("/dev/shm").iterdir())
    server = TritonServer(repository, models=["double"], installation=triton_installation)
    server.start()
    assert server.pid
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    stubs = [line for line in (" ".join(process.cmdline()) for process in family) if "stub" in line]
    assert stubs
    assert all("/double/" in line for line in stubs)

    start = time.monotonic()
    server.stop()
    assert time.monotonic() - start < 15
    assert server.pid is None
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    left = {file.name for file in set(Path("/dev/shm").iterdir()) - before}
    assert not [name for name in left if name.startswith(server.memory_prefix)]
