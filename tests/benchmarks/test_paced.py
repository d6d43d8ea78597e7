import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bankai.errors import FaultError
from benchmarks.callers import Caller, Target, Way
from benchmarks.paced import PacedLoad, PacedResult, pace

PLAN = PacedLoad(
    target=Target(Way.BARE),
    texts=["我要挂失", "余额多少"],
    calls=4,
    period_s=0.05,
    turns=3,
    hints=False,
    warm_up_s=0.1,
    seconds=0.5,
    pids={},
)


class FakeCaller:
    """Answers after a time; what is called "bad" never."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.most = 0
        self.waiting = 0
        self.hints: list[str] = []

    async def ask(self, text: str) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(self.takes_s)
        self.waiting -= 1
        if text == "bad":
            raise FaultError("NO_ANSWER", "fake")

    async def hint(self, text: str) -> bool:
        self.hints.append(text)
        return len(text) > 1


async def _pace(plan: PacedLoad, caller: FakeCaller, end: Exception | None = None) -> PacedResult:
    @asynccontextmanager
    async def dial() -> AsyncIterator[Caller]:
        yield caller
        if end is not None:
            raise end

    return await pace(plan, dial)


async def test_what_is_answered_is_counted_from_the_warm_up_on() -> None:
    result = await _pace(PLAN, FakeCaller())
    # 4 calls, 0.5 s, 50 ms apart: some 40, less what the pauses between calls take.
    assert 0 < result.finals.sent < 60
    assert len(result.finals.durations) == len(result.late) == result.finals.sent
    assert result.finals.lost == 0
    assert result.calls > PLAN.calls
    assert not result.broken


async def test_a_slow_answer_delays_no_later_question() -> None:
    caller = FakeCaller(takes_s=0.4)
    result = await _pace(replace(PLAN, calls=1, turns=100), caller)
    assert caller.most > 2
    assert result.finals.lost == 0


async def test_a_call_that_would_outlast_the_run_stays_on_the_line_until_its_end() -> None:
    result = await _pace(replace(PLAN, turns=1000, period_s=0.2), FakeCaller())
    assert result.calls == PLAN.calls
    assert result.finals.seconds == pytest.approx(PLAN.seconds, abs=5)


async def test_what_is_not_answered_is_lost() -> None:
    result = await _pace(replace(PLAN, texts=["bad"]), FakeCaller())
    assert result.finals.lost == result.finals.sent == result.finals.failures["NO_ANSWER"] > 0


@pytest.mark.parametrize(("end", "what"), [(FaultError("NO_ANSWER", "fake"), "NO_ANSWER"), (TimeoutError(), "TIMEOUT")])
async def test_a_call_without_its_summary_is_broken(end: Exception, what: str) -> None:
    result = await _pace(PLAN, FakeCaller(), end)
    assert result.broken[what] == result.calls > 0


async def test_two_parts_go_before_each_utterance_and_overtaken_ones_have_no_duration() -> None:
    caller = FakeCaller()
    result = await _pace(replace(PLAN, hints=True), caller)
    assert {"我", "我要挂", "余", "余额多"} >= set(caller.hints)
    assert result.hints_sent == pytest.approx(2 * result.finals.sent, abs=PLAN.calls)
    assert 0 < len(result.hints) < result.hints_sent
