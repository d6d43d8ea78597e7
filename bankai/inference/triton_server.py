"""A real Triton server as a child process, for tests, benchmarks and `bankai up --triton`.

`make triton` puts it under .triton/. It is the genuine core with a Python onnxruntime backend on CPU; production
runs the official container, whose C++ backend serves the same repository.
"""

import contextlib
import http.client
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self

from bankai.errors import UnavailableError
from bankai.loopback import HOST, free_ports

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Triton's Python backend puts its segments
_EXIT_SECONDS = 5
_START_ATTEMPTS = 2
_INSTALLED = Path(__file__).resolve().parents[2] / ".triton"


class TritonInstallation:
    """What `make triton` has set up.

    Args:
        root: Its folder.
    """

    STAMP = "stamp"

    def __init__(self, root: Path = _INSTALLED) -> None:
        self.root = root
        self.venv = root / "venv"
        self.packages = self.venv / "lib" / "python3.11" / "site-packages"
        self.backends = root / "backends"
        self.binary = self.packages / "pytriton" / "tritonserver" / "bin" / "tritonserver"

    @property
    def complete(self) -> bool:
        """Whether the set-up has run to its end."""
        return (self.root / self.STAMP).is_file()

    def environment(self) -> dict[str, str]:
        """Environment variables that the server and its Python stubs need."""
        # The stub must load the very libpython that its interpreter was built with, or it dies without a word.
        libraries = [str(self.packages / "nvidia_pytriton.libs"), str(sysconfig.get_config_var("LIBDIR"))]
        inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
        return inherited | {
            "PATH": f"{self.venv / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
            "VIRTUAL_ENV": str(self.venv),
            "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        }


class TritonServer:
    """One server on free ports of the loopback. It keeps its ports when it is started again.

    Args:
        repository: Model repository to serve.
        models: Models to load at start; ("*",) for all.
        log: File that gets what the server prints; None drops it.
        installation: Where the server is.
    """

    def __init__(
        self,
        repository: Path,
        *,
        models: Sequence[str] = ("*",),
        log: Path | None = None,
        installation: TritonInstallation | None = None,
    ) -> None:
        self._installation = installation or TritonInstallation()
        self._repository = repository
        self._models = models
        self._log = log
        self._grpc, self._http, self._metrics = free_ports(3)
        self._served = False
        self._process: subprocess.Popen[bytes] | None = None
        # Its own prefix, so that cleaning up after a killed server touches no other server's memory.
        self.memory_prefix = f"triton_bankai_{os.getpid()}_{self._grpc}_"

    @property
    def grpc_url(self) -> str:
        """host:port of the gRPC endpoint."""
        return f"{HOST}:{self._grpc}"

    @property
    def metrics_url(self) -> str:
        """host:port of the endpoint for Prometheus."""
        return f"{HOST}:{self._metrics}"

    @property
    def pid(self) -> int | None:
        """Process id and process group of the running server."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, timeout: float = 60.0) -> None:
        """Starts the server and waits until it is ready.

        Args:
            timeout: Seconds to wait.

        Raises:
            UnavailableError: TRITON_MISSING before `make triton`, TRITON_START_FAILED if it does not get ready.
        """
        if not self._installation.complete:
            raise UnavailableError("TRITON_MISSING", "there is no Triton server: run `make triton`")
        deadline = time.monotonic() + timeout
        for _ in range(_START_ATTEMPTS):
            if self._start(deadline):
                self._served = True
                return
            self.stop()
            if self._served or time.monotonic() > deadline:
                break
            # Another process may have taken a port between its choice and now.
            self._grpc, self._http, self._metrics = free_ports(3)
        where = f"{self._log.name} says why" if self._log else "a log file would say why"
        raise UnavailableError("TRITON_START_FAILED", f"the Triton server does not get ready; {where}")

    def _start(self, deadline: float) -> bool:
        """Launches the server and waits; whether it got ready in time."""
        with self._log.open("ab") if self._log else contextlib.nullcontext(subprocess.DEVNULL) as output:
            self._process = self._launch(output)
        while time.monotonic() < deadline and self.pid is not None:
            if self._ready():
                return True
            time.sleep(0.05)
        return False

    def stop(self) -> None:
        """Stops the server, kindly first, and removes its shared memory. Does nothing where none runs."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_EXIT_SECONDS + 3)
        self.kill()

    def kill(self) -> None:
        """Ends the server at once, as a crash would, and removes its shared memory. Does nothing where none runs."""
        if self._process is None:
            return
        # The whole group: stubs of a dead server would live on.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        for segment in _SHARED_MEMORY.glob(f"{self.memory_prefix}*"):
            segment.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
        command = [
            str(self._installation.binary),
            f"--model-repository={self._repository}",
            f"--backend-directory={self._installation.backends}",
            f"--backend-config=python,shm-region-prefix-name={self.memory_prefix}",
            "--model-control-mode=explicit",
            *(f"--load-model={model}" for model in self._models),
            "--disable-auto-complete-config",
            f"--exit-timeout-secs={_EXIT_SECONDS}",
            f"--grpc-address={HOST}",
            f"--grpc-port={self._grpc}",
            f"--http-address={HOST}",
            f"--http-port={self._http}",
            f"--metrics-address={HOST}",
            f"--metrics-port={self._metrics}",
        ]
        # A session of its own keeps a terminal's Ctrl-C away: whoever started it drains first and then stops it.
        return subprocess.Popen(  # noqa: S603 - the command is ours
            command,
            env=self._installation.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._http, timeout=1.0)
        try:
            connection.request("GET", "/v2/health/ready")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
