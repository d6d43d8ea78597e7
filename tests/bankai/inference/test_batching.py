import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from bankai.errors import DeadlineError, ExhaustedError, FaultError, UnavailableError
from bankai.inference.backend import Tensor, Tensors
from bankai.inference.batching import Batcher
from bankai.inference.config import BatchPolicy, QueuePolicy

BAD = -1.0


class Doubler:
    """A model in the place of onnxruntime: y = 2x. It can be held, and fails for every batch that has a BAD row."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[list[float]] = []

    def __call__(self, inputs: Tensors) -> dict[str, Tensor]:
        x = inputs["x"]
        self.batches.append(x[:, 0].tolist())
        assert self.gate.wait(10)
        if (x == BAD).any():
            raise ValueError("bad row")
        return {"y": x * 2}

    async def has_started(self, batches: int) -> None:
        async with asyncio.timeout(5):
            while len(self.batches) < batches:  # noqa: ASYNC110 - a thread cannot set an asyncio.Event
                await asyncio.sleep(0.001)


@asynccontextmanager
async def opened(
    run: Doubler,
    *,
    instances: int = 1,
    batching: BatchPolicy | None = BatchPolicy(max_rows=8, preferred_rows=(8,)),  # noqa: B008 - it cannot change
    queue: QueuePolicy = QueuePolicy(),  # noqa: B008 - it cannot change
    name: str = "doubler",
) -> AsyncIterator[Batcher]:
    batcher = Batcher(run, name=name, instances=instances, batching=batching, queue=queue)
    try:
        yield batcher
    finally:
        run.gate.set()
        await batcher.close()


async def ask(batcher: Batcher, *values: float, length: int = 1, timeout: float = 10.0) -> list[float]:  # noqa: ASYNC109
    x = np.repeat(np.array(values, np.float32)[:, None], length, axis=1)
    outputs = await batcher.submit({"x": x}, rows=len(values), key=(("x", (length,)),), timeout=timeout)
    assert outputs["y"].shape == x.shape
    answer: list[float] = outputs["y"][:, 0].tolist()
    return answer


async def start(question: Coroutine[Any, Any, list[float]]) -> asyncio.Task[list[float]]:
    """Starts a request and lets it get as far as it can: into the queue, or into a free instance."""
    task = asyncio.create_task(question)
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def busy(run: Doubler, batcher: Batcher) -> asyncio.Task[list[float]]:
    """Occupies one instance until the gate opens."""
    run.gate.clear()
    task = await start(ask(batcher, 0))
    await run.has_started(1)
    return task


async def test_what_waits_runs_together_and_a_lone_request_at_once() -> None:
    run = Doubler()
    async with opened(run) as batcher:
        first = await busy(run, batcher)
        rest = [await start(ask(batcher, value, value + 0.5)) for value in (1, 2, 3)]
        run.gate.set()
        assert [await first, *[await task for task in rest]] == [[0], [2, 3], [4, 5], [6, 7]]
    assert run.batches == [[0], [1, 1.5, 2, 2.5, 3, 3.5]]


async def test_what_arrives_in_one_turn_of_the_loop_shares_the_first_batch() -> None:
    run = Doubler()
    async with opened(run) as batcher:
        await asyncio.gather(*(ask(batcher, value) for value in range(4)))
    assert run.batches == [[0, 1, 2, 3]]


async def test_only_equal_shapes_share_a_batch_and_the_oldest_goes_first() -> None:
    run = Doubler()
    async with opened(run) as batcher:
        tasks = [await busy(run, batcher)]
        tasks += [await start(ask(batcher, value, length=length)) for value, length in ((1, 2), (2, 3), (3, 2))]
        run.gate.set()
        assert await asyncio.gather(*tasks) == [[0], [2], [4], [6]]
    assert run.batches == [[0], [1, 3], [2]]


async def test_without_dynamic_batching_each_runs_alone() -> None:
    run = Doubler()
    async with opened(run, batching=None) as batcher:
        await asyncio.gather(*(ask(batcher, value) for value in range(3)))
    assert run.batches == [[0], [1], [2]]


async def test_as_many_batches_run_at_once_as_there_are_instances() -> None:
    run = Doubler()
    run.gate.clear()
    async with opened(run, instances=2, batching=None) as batcher:
        tasks = [await start(ask(batcher, value)) for value in range(3)]
        await run.has_started(2)
        await asyncio.sleep(0.05)
        assert len(run.batches) == 2
        run.gate.set()
        await asyncio.gather(*tasks)


async def test_a_delay_ends_though_no_company_came() -> None:
    run = Doubler()
    async with opened(run, batching=BatchPolicy(max_rows=8, preferred_rows=(3,), max_delay=0.05)) as batcher:
        lone = await start(ask(batcher, 1))
        assert not run.batches
        assert await lone == [2]


async def test_a_delay_ends_at_once_when_a_preferred_size_is_reached() -> None:
    run = Doubler()
    async with opened(run, batching=BatchPolicy(max_rows=8, preferred_rows=(3,), max_delay=60)) as batcher:
        early = await start(ask(batcher, 2))
        assert not run.batches
        assert await ask(batcher, 3, 4) == [6, 8]
        assert await early == [4]
    assert run.batches == [[2, 3, 4]]


async def test_a_full_queue_refuses_and_a_cancelled_request_makes_room() -> None:
    run = Doubler()
    async with opened(run, queue=QueuePolicy(max_size=2)) as batcher:
        running = await busy(run, batcher)
        kept, given_up = [await start(ask(batcher, value)) for value in (1, 2)]
        with pytest.raises(ExhaustedError) as caught:
            await ask(batcher, 3)
        assert caught.value.reason == "INFERENCE_QUEUE_FULL"
        assert caught.value.retry_after
        given_up.cancel()
        await asyncio.wait({given_up})
        late = await start(ask(batcher, 4))
        run.gate.set()
        assert [await task for task in (running, kept, late)] == [[0], [2], [8]]
    assert run.batches == [[0], [1, 4]], "what was cancelled or refused must not run"


async def test_a_queue_limit_counts_what_waits_and_not_what_can_start_now() -> None:
    run = Doubler()
    async with opened(run, instances=2, batching=None, queue=QueuePolicy(max_size=1)) as batcher:
        assert await asyncio.gather(*(ask(batcher, value) for value in range(3))) == [[0], [2], [4]]


async def test_a_request_whose_deadline_passes_in_the_queue_is_answered_then_and_never_runs() -> None:
    run = Doubler()
    async with opened(run) as batcher:
        running = await busy(run, batcher)
        with pytest.raises(DeadlineError):
            await asyncio.wait_for(ask(batcher, 1, timeout=0.05), 5)
        with pytest.raises(DeadlineError):
            await ask(batcher, 2, timeout=0.0)
        run.gate.set()
        assert await running == [0]
        assert await ask(batcher, 3) == [6]
    assert run.batches == [[0], [3]]


async def test_a_deadline_that_passed_while_the_loop_was_busy_still_counts() -> None:
    run = Doubler()
    async with opened(run) as batcher:
        running = await busy(run, batcher)
        waiting = await start(ask(batcher, 1, timeout=0.05))
        run.gate.set()
        threading.Event().wait(0.2)  # blocks the loop: the timer and the end of the run are due at once
        with pytest.raises(DeadlineError):
            await waiting
        assert await running == [0]
    assert run.batches == [[0]]


async def test_a_deadline_that_passes_during_the_run_does_not_wait_for_its_end() -> None:
    run = Doubler()
    run.gate.clear()
    async with opened(run) as batcher:
        with pytest.raises(DeadlineError):
            await asyncio.wait_for(ask(batcher, 1, timeout=0.05), 5)


async def test_the_queue_timeout_counts_only_while_a_request_waits() -> None:
    run = Doubler()
    async with opened(run, queue=QueuePolicy(timeout=0.1)) as batcher:
        running = await busy(run, batcher)
        with pytest.raises(ExhaustedError) as caught:
            await asyncio.wait_for(ask(batcher, 1), 5)
        assert caught.value.reason == "INFERENCE_QUEUE_TIMEOUT"
        run.gate.set()
        assert await running == [0]


async def test_a_request_without_a_deadline_may_wait_for_ever() -> None:
    async with opened(Doubler()) as batcher:
        assert await ask(batcher, 1, timeout=float("inf")) == [2]


async def test_a_bad_request_fails_alone() -> None:
    run = Doubler()
    async with opened(run) as batcher:
        good, bad, other = await asyncio.gather(
            ask(batcher, 1), ask(batcher, BAD), ask(batcher, 2, 3), return_exceptions=True
        )
    assert good == [2]
    assert isinstance(bad, FaultError)
    assert bad.reason == "INFERENCE_FAILED"
    assert isinstance(bad.__cause__, ValueError)
    assert other == [4, 6]


async def test_closing_answers_what_waits_and_finishes_what_runs() -> None:
    run = Doubler()
    batcher = Batcher(run, name="closing", instances=1, batching=None, queue=QueuePolicy())
    running = await busy(run, batcher)
    waiting = await start(ask(batcher, 1))
    closing = asyncio.create_task(batcher.close())
    with pytest.raises(UnavailableError) as caught:
        await asyncio.wait_for(waiting, 5)
    assert caught.value.reason == "INFERENCE_UNAVAILABLE"
    run.gate.set()
    assert await running == [0]
    await closing
    with pytest.raises(UnavailableError):
        await ask(batcher, 2)
    assert not [thread for thread in threading.enumerate() if "closing" in thread.name]


async def test_metrics_tell_rows_and_queue_length() -> None:
    run = Doubler()

    def sample(name: str) -> float | None:
        return REGISTRY.get_sample_value(f"bankai_inference_{name}", {"model": "measured"})

    async with opened(run, name="measured") as batcher:
        running = await busy(run, batcher)
        waiting = [await start(ask(batcher, value, value)) for value in (1, 2)]
        assert sample("queue_length") == 2
        run.gate.set()
        await asyncio.gather(running, *waiting)
        assert sample("queue_length") == 0
        assert sample("batch_rows_count") == 2
        assert sample("batch_rows_sum") == 5
        assert sample("queue_seconds_count") == 3
        assert sample("execution_seconds_count") == 2


@dataclass(frozen=True)
class Caller:
    """One caller of the property test: `pause` turns of the loop after the one before."""

    rows: int
    length: int
    pause: int
    fate: str


_LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
# What may come of a request beside its own answer.
_OTHER_OUTCOMES: dict[str, tuple[type[BaseException], ...]] = {
    "answered": (),
    "bad": (FaultError,),
    "cancelled": (asyncio.CancelledError,),
    "expired": (DeadlineError,),
}
_CALLERS = st.lists(
    st.builds(
        Caller,
        rows=st.integers(1, 4),
        length=st.integers(1, 2),
        pause=st.sampled_from([0, 0, 0, 1, 2, 50]),
        fate=st.sampled_from(["answered", "answered", "answered", "bad", "cancelled", "expired"]),
    ),
    min_size=1,
    max_size=25,
)
_POLICIES = st.one_of(
    st.none(),
    st.builds(
        BatchPolicy,
        max_rows=st.integers(4, 8),
        preferred_rows=st.sampled_from([(4,), (2, 4), (3,)]),
        max_delay=st.sampled_from([0.0, 0.0, 0.002]),
    ),
)


@settings(max_examples=60, deadline=None)
@given(callers=_CALLERS, policy=_POLICIES, instances=st.integers(1, 3), loop=st.sampled_from(_LOOPS))
def test_every_caller_gets_its_own_answer(
    callers: list[Caller],
    policy: BatchPolicy | None,
    instances: int,
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    run = Doubler()

    async def scenario() -> list[list[float] | BaseException]:
        async with opened(run, instances=instances, batching=policy) as batcher:
            tasks = []
            for number, caller in enumerate(callers):
                for _ in range(caller.pause):
                    await asyncio.sleep(0)
                tasks.append(asyncio.create_task(_call(batcher, number, caller)))
                if caller.fate == "cancelled":
                    await asyncio.sleep(0)
                    tasks[-1].cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)

    with asyncio.Runner(loop_factory=loop) as runner:
        outcomes = runner.run(scenario())
    for number, (caller, outcome) in enumerate(zip(callers, outcomes, strict=True)):
        mine = [200.0 * number + 2 * row for row in range(caller.rows)]
        other = _OTHER_OUTCOMES[caller.fate]
        assert isinstance(outcome, other) or (caller.fate != "bad" and outcome == mine)
    most = policy.max_rows if policy else 4
    assert all(len(batch) <= most for batch in run.batches)


async def _call(batcher: Batcher, number: int, caller: Caller) -> list[float]:
    values = [float(100 * number + row) for row in range(caller.rows)]
    if caller.fate == "bad":
        values[-1] = BAD
    limit = 0.0005 if caller.fate == "expired" else 30.0
    return await ask(batcher, *values, length=caller.length, timeout=limit)


@settings(max_examples=30, deadline=None)
@given(cancelled=st.lists(st.booleans(), min_size=1, max_size=12), limit=st.integers(1, 6))
def test_a_queue_never_exceeds_its_limit_and_what_was_cancelled_in_it_never_runs(
    cancelled: list[bool], limit: int
) -> None:
    run = Doubler()

    async def scenario() -> tuple[list[float], int]:
        async with opened(run, batching=None, queue=QueuePolicy(max_size=limit)) as batcher:
            running = await busy(run, batcher)
            expected: list[float] = []
            refused = waiting = 0
            tasks = []
            for number, cancel in enumerate(cancelled, start=1):
                task = await start(ask(batcher, number))
                if waiting == limit:
                    assert isinstance(task.exception(), ExhaustedError)
                    refused += 1
                    continue
                if cancel:
                    task.cancel()
                    await asyncio.wait({task})
                    continue
                waiting += 1
                expected.append(float(number))
                tasks.append(task)
            run.gate.set()
            await asyncio.gather(running, *tasks)
            return expected, refused

    expected, refused = asyncio.run(scenario())
    assert [batch[0] for batch in run.batches] == [0.0, *expected]
    assert len(expected) <= limit
    assert refused == 0 or len(expected) == limit
