"""What load generators report, and how they count."""

import time
from collections import Counter
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field

import grpc

from bankai.errors import BankaiError
from benchmarks.processes import cpu_seconds, difference

GENERATOR = "generator"


@dataclass
class Load:
    """What came of a load.

    Attributes:
        sent: Texts sent while it was measured.
        durations: Seconds from sending to the answer, for each that was answered.
        failures: Number of the others, by what happened.
        seconds: How long it was measured.
        cpu: CPU seconds of the processes meanwhile, by name; the load generator's under `GENERATOR`.
    """

    sent: int = 0
    durations: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Texts that got no answer, or an error for one."""
        return self.sent - len(self.durations)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.durations) / self.seconds

    def cpu_per_answer_ms(self) -> dict[str, float]:
        """CPU time per answer in milliseconds, by the process's name."""
        return {name: 1000 * seconds / max(len(self.durations), 1) for name, seconds in self.cpu.items()}

    def add(self, other: "Load") -> None:
        """Takes in what was measured at another time."""
        self.sent += other.sent
        self.durations += other.durations
        self.failures += other.failures
        self.seconds += other.seconds
        self.cpu = {name: self.cpu.get(name, 0.0) + seconds for name, seconds in other.cpu.items()}

    async def count(self, asking: Awaitable[object]) -> None:
        """Waits for an answer and notes how long it took, or that it did not come."""
        self.sent += 1
        began = time.perf_counter()
        try:
            await asking
        except grpc.aio.AioRpcError as error:
            self.failures[error.code().name] += 1
        except BankaiError as error:
            self.failures[error.reason] += 1
        except TimeoutError:
            self.failures["TIMEOUT"] += 1
        else:
            self.durations.append(time.perf_counter() - began)


class Meter:
    """Measures the time and the CPU that a load takes, from its making to `stop`.

    Args:
        load: Gets them.
        pids: The processes to watch, by name.
    """

    def __init__(self, load: Load, pids: Mapping[str, int]) -> None:
        self._load = load
        self._pids = pids
        self._cpu = cpu_seconds(pids)
        self._own = time.process_time()
        self._began = time.perf_counter()

    def stop(self) -> None:
        """Notes what was used until now."""
        self._load.seconds = time.perf_counter() - self._began
        self._load.cpu = difference(self._cpu, cpu_seconds(self._pids)) | {GENERATOR: time.process_time() - self._own}
