"""What processes cost: CPU time and memory, their children's included."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

from benchmarks.statistics import slope_per_minute

_SAMPLE_EVERY_S = 1.0
_MIB = 1 << 20


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU time that each process has used so far, in seconds, by its name."""
    return {name: sum(_cpu(process) for process in _family(pid)) for name, pid in pids.items()}


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was used between two calls of `cpu_seconds`."""
    return {name: after[name] - before[name] for name in before}


@dataclass
class MemoryWatch:
    """Resident memory of processes over time.

    Attributes:
        seconds: When each sample was taken, since the watch began.
        mib: Samples by the process's name, in MiB.
    """

    seconds: list[float] = field(default_factory=list)
    mib: dict[str, list[float]] = field(default_factory=dict)

    def report(self, settled_s: float) -> dict[str, dict[str, Any]]:
        """Per process: memory at the start, once settled and at the end, and its slope from then on.

        Args:
            settled_s: Seconds from the start until memory should not grow any more. There is no slope where the watch
                ended before.
        """
        settled = next((index for index, at in enumerate(self.seconds) if at >= settled_s), len(self.seconds) - 1)
        return {
            name: {
                "start_mib": values[0],
                "settled_mib": values[settled],
                "end_mib": values[-1],
                "slope_mib_per_min": slope_per_minute(self.seconds[settled:], values[settled:]),
            }
            for name, values in self.mib.items()
        }


@asynccontextmanager
async def watch_memory(pids: Mapping[str, int]) -> AsyncIterator[MemoryWatch]:
    """Samples the memory of processes once a second until the context ends."""
    watch = MemoryWatch(mib={name: [] for name in pids})
    began = time.monotonic()

    async def sample() -> None:
        while True:
            watch.seconds.append(time.monotonic() - began)
            for name, pid in pids.items():
                watch.mib[name].append(sum(process.memory_info().rss for process in _family(pid)) / _MIB)
            await asyncio.sleep(_SAMPLE_EVERY_S)

    sampling = asyncio.create_task(sample())
    try:
        yield watch
    finally:
        sampling.cancel()
        await asyncio.wait((sampling,))


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
