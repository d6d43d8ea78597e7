"""What recording a call costs, in microseconds, beside a plain write of the same bytes.

floor     os.write of a line as long as a record's, to a file in the same folder
record    a record: made canonical, hashed, written; the checkpoints that come with it included
call      a unary call through the interceptors' own part: both messages hashed, a record written
bare      the same call without them

They are measured in turns, block by block, so that a slow moment of the machine hits all alike, and in CPU time of the
thread, as this is all that a write to the page cache takes. `added_us` is what a call with the audit log takes more
than one without.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import grpc
import structlog

from bankai.interceptors.base import Handler, MethodHandler
from benchmarks.command import Report, arguments, run, say
from gateway.audit.interceptor import AdmissionInterceptor, AuditInterceptor
from gateway.audit.keys import write_new_key
from gateway.audit.log import AuditLog
from gateway.audit.settings import AuditSettings
from gateway.authn.caller import Caller, enter

NAME = "audit"
MAX_ADDED_US = 20.0
METHOD = "/bankai.intent.v1.IntentService/Classify"

Ask = Callable[[], Awaitable[object]]


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--blocks", type=int, default=50, help="blocks of each way (default: %(default)s)")
    parser.add_argument("--block", type=int, default=1000, help="records of a block (default: %(default)s)")
    parser.add_argument("--bytes", type=int, default=400, help="bytes of a message (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder by default")
    options = parser.parse_args()
    if options.quick:
        options.blocks, options.block = 2, 100
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        private = Path(folder) / "audit.pem"
        write_new_key(private, Path(folder) / "audit.pub.pem")
        log = AuditLog(AuditSettings(folder=Path(folder) / "audit", key=private))
        plain = os.open(Path(folder) / "plain", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        enter(Caller("ivr", "key abcdefghijkl"))
        try:
            audited = (AdmissionInterceptor(), AuditInterceptor(log))
            call = await _call(audited, bytes(options.bytes))
            await call()
            line_bytes = _last_line(Path(folder) / "audit")
            ways = {
                "floor": _writes(plain, bytes(line_bytes)),
                "record": _records(log),
                "call": call,
                "bare": await _call((), bytes(options.bytes)),
            }
            times = await _in_turns(ways, options.blocks, options.block)
        finally:
            os.close(plain)
            log.close()
    medians = {name: median(each) for name, each in times.items()}
    return {
        "message_bytes": options.bytes,
        "line_bytes": line_bytes,
        "us": medians,
        "added_us": medians["call"] - medians["bare"],
        "added_over_floor": (medians["call"] - medians["bare"]) / medians["floor"],
        "max_added_us": MAX_ADDED_US,
    }


async def _in_turns(ways: dict[str, Ask], blocks: int, size: int) -> dict[str, list[float]]:
    """Microseconds for one of each way, block by block."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(blocks):
        for name, ask in ways.items():
            began = time.thread_time()
            for _ in range(size):
                await ask()
            times[name].append((time.thread_time() - began) / size * 1e6)
        say(f"block {number + 1} of {blocks}")
        await asyncio.sleep(0)
    return times


def _writes(descriptor: int, line: bytes) -> Ask:
    async def write() -> None:
        os.write(descriptor, line)

    return write


def _records(log: AuditLog) -> Ask:
    fields = {
        "event": "ended",
        "time": "2026-01-31T09:00:00.000000Z",
        **dict.fromkeys(("answer_sha256", "request_sha256"), "0" * 64),
        **dict.fromkeys(("channel", "code", "decision", "model_version", "reason", "trace_id", "kind"), "some"),
        **dict.fromkeys(("answers", "duration_us", "opened", "requests"), 1),
        "credential": "key abcdefghijkl",
        "method": METHOD,
        "peer": "ipv4:127.0.0.1:50000",
        "request_id": "a" * 32,
    }

    async def record() -> None:
        log.record(fields)

    return record


class _Context:
    """As much of a call's context as the interceptors look at."""

    def peer(self) -> str:
        return "ipv4:127.0.0.1:50000"

    def code(self) -> None:
        return None

    def trailing_metadata(self) -> tuple[tuple[str, str], ...]:
        return (("x-request-id", "a" * 32), ("x-bankai-model-version", "intent 7"))


class _Details:
    method = METHOD
    invocation_metadata = ()


async def _call(interceptors: tuple[Any, ...], message: bytes) -> Ask:
    """A call as the server makes it: its handler wrapped, the request decoded, the handler run."""
    context: Any = _Context()
    details: Any = _Details()

    async def answer(request: bytes, _context: object) -> bytes:
        return request

    plain: MethodHandler = grpc.unary_unary_rpc_method_handler(answer)

    async def call() -> None:
        handler = Handler(plain, details)
        for interceptor in interceptors:
            interceptor.wrap(handler)
        decode: Any = handler.request_deserializer
        await handler.behaviour(decode(message), context)

    return call


def _last_line(folder: Path) -> int:
    return len(next(iter(folder.glob("*.jsonl"))).read_bytes().splitlines(keepends=True)[-1])


if __name__ == "__main__":
    main()
