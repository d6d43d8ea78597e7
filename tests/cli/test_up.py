"""`bankai up`, `bankai call` and `bankai demo` with real processes."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bankai.inference.triton_server import TritonInstallation
from bankai.settings import InferenceSettings
from services.doc_extract.app import MODELS as DOCUMENT_MODELS
from services.progress_monitor.app import MODELS as SITE_MODELS
from tests.cli.conftest import Run, Write, command

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
START_S = 150.0
READY = "bankai is up: "


class Up:
    """A running `bankai up`."""

    def __init__(self, folder: Path, environment: dict[str, str], *options: str) -> None:
        self.out, self.log = folder / "out", folder / "log"
        with self.out.open("wb") as out, self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command("up", "--port", "0", *options), stdout=out, stderr=log, cwd=folder, env=environment
            )

    def address(self) -> str:
        return self.wait_for(self.out, READY).split(READY)[1].split()[0]

    def wait_for(self, file: Path, text: str) -> str:
        deadline = time.monotonic() + START_S
        while text not in (content := file.read_text()):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return content

    def child(self, module: str) -> psutil.Process:
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if module in child.cmdline())

    def end(self) -> int:
        return self.process.wait(timeout=START_S)


@pytest.fixture
def up(tmp_path: Path, environment: dict[str, str]) -> Iterator[Up]:
    yield from running(tmp_path, environment)


@pytest.fixture(scope="module")
def shared_up(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Up]:
    """One for all tests that leave it as it is: a start takes its time."""
    yield from running(tmp_path_factory.mktemp("up"), environment)


@pytest.fixture
def up_triton(tmp_path: Path, environment: dict[str, str], toy_models: Path) -> Iterator[Up]:
    if not TritonInstallation().complete:
        pytest.skip("needs the Triton of `make triton`")
    # The toy stands for intent's models only; Triton serves every service's.
    repository = tmp_path / "models"
    repository.mkdir()
    shipped = InferenceSettings().models_dir
    for model in (*toy_models.iterdir(), *(shipped / name for name in (*DOCUMENT_MODELS, *SITE_MODELS))):
        (repository / model.name).symlink_to(model)
    yield from running(tmp_path, environment, "--triton", "--models-dir", str(repository))


def running(folder: Path, environment: dict[str, str], *options: str) -> Iterator[Up]:
    up = Up(folder, environment, *options)
    yield up
    if up.process.poll() is None:
        children = psutil.Process(up.process.pid).children(recursive=True)
        up.process.kill()
        for child in children:
            child.kill()
        up.process.wait()


def test_starts_serves_and_drains_gateway_first(up: Up, bankai: Run, tmp_path: Path) -> None:
    address = up.address()
    assert (tmp_path / "var/dev/api-key").stat().st_mode & 0o077 == 0
    children = psutil.Process(up.process.pid).children()
    transcript = tmp_path / "call.txt"
    transcript.write_text("agent: 您好\ncaller: 有人诈我 刚转了三万\ncaller: 我要人工\n", encoding="utf-8")
    done = bankai("call", transcript, "--address", address)
    assert done.returncode == 0, done.stderr
    for part in (
        "诈骗举报 0.95",
        "焦急担忧",
        "▲ escalate: suspected fraud in progress",
        "Summary of the call",
        "转人工",
    ):
        assert part in done.stdout
    up.process.send_signal(signal.SIGINT)
    assert up.end() == 0
    log = up.log.read_text()
    assert (
        0
        < log.index('gateway          | {"name": "gateway", "event": "stopped"')
        < log.index('intent           | {"name": "intent", "event": "stopped"')
        < log.index('doc_extract      | {"name": "doc_extract", "event": "stopped"')
        < log.index('progress_monitor | {"name": "progress_monitor", "event": "stopped"')
    )
    assert not any(child.is_running() for child in children)


def test_the_printed_curl_works(shared_up: Up) -> None:
    line = next(line for line in shared_up.wait_for(shared_up.out, "Ctrl-C").splitlines() if line.startswith("Try it:"))
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    done = subprocess.run(
        ["sh", "-c", line.removeprefix("Try it:")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=shared_up.out.parent,
    )
    assert json.loads(done.stdout)["analysis"]["intents"][0]["intentId"] == "card_loss_report"


def test_typing_a_call(shared_up: Up, bankai: Run) -> None:
    key = shared_up.out.parent / "var/dev/api-key"
    done = bankai(
        "call", "--live", "--address", shared_up.address(), "--api-key-file", key, stdin="我卡丢了\na: 好的\n谢谢\n\n"
    )
    assert done.returncode == 0, done.stderr
    for part in ("挂失 0.90", "the call so far", "not advised", "Summary of the call", "left open"):
        assert part in done.stdout


def test_models_on_a_real_triton(up_triton: Up, bankai: Run, write_lines: Write) -> None:
    address = up_triton.address()
    (server,) = [each for each in psutil.Process(up_triton.process.pid).children() if "triton" in each.name()]
    file = write_lines({"text": "我卡丢了", "intents": ["card_loss_report"], "emotion": "anxious"})
    done = bankai("eval", "intent", file, "--address", address)
    assert done.returncode == 0, done.stderr
    assert '"intent_top1": 1.0' in done.stdout
    up_triton.process.send_signal(signal.SIGINT)
    assert up_triton.end() == 0
    assert not server.is_running()


def test_a_wrong_key_is_told(shared_up: Up, bankai: Run, tmp_path: Path) -> None:
    file = tmp_path / "call.txt"
    file.write_text("caller: hi", encoding="utf-8")
    done = bankai("call", file, "--address", shared_up.address(), BANKAI_API_KEY="nonsense")
    assert done.returncode == 1
    assert "the API key is not known; see --api-key-file" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_child_that_dies_ends_the_lot(up: Up) -> None:
    up.address()
    gateway = up.child("gateway")
    up.child("services.intent").kill()
    assert up.end() == 1
    assert "bankai: intent was killed by SIGKILL; its last lines:" in up.log.read_text()
    assert not gateway.is_running()


def test_a_second_signal_ends_at_once(up: Up) -> None:
    up.address()
    children = psutil.Process(up.process.pid).children()
    for child in children:
        child.suspend()  # drains for ever
    up.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert up.process.poll() is None
    up.process.send_signal(signal.SIGINT)
    assert up.end() == 1
    assert "bankai: gateway was killed by SIGKILL; intent was killed by SIGKILL" in up.log.read_text()
    assert not any(child.is_running() for child in children)


def test_a_service_that_cannot_start_ends_the_lot(bankai: Run, tmp_path: Path) -> None:
    done = bankai("up", "--port", "0", BANKAI_INTENT_INFERENCE__MODELS_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "bankai: intent ended with exit code 1; its last lines:" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_demo(bankai: Run) -> None:
    done = bankai("demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Summary of the call") == 2
    assert "What to try next" in done.stdout


def test_demo_with_the_shipped_model(tmp_path: Path) -> None:
    models = Path(__file__).parents[2] / "models"
    if not (models / "intent" / "1" / "model.onnx").exists():
        pytest.skip("models/intent is not there yet")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BANKAI_")}
    done = subprocess.run(
        command("demo"),
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(models.parent), "COLUMNS": "160"},
    )
    assert done.returncode == 0, done.stderr
    for part in ("诈骗举报", "▲ escalate: ", "suspected fraud", "dispute an unauthorised charge", "What to try next"):
        assert part in done.stdout
