"""How many calls a second one and two processes of the gateway carry on one address, and what each call costs.

All share an address (SERVER__REUSE_PORT), an audit log and everything else that `bankai up` turns on; behind them is
the tests' toy, which says back what it is told. The direct calls, past the gateway, are what the load generator and the
toy can do by themselves; they share the machine's cores with the gateway, so that the cores end before the gateway does
where there are few. The rounds take turns, so that a slow moment of the machine hits all alike.
"""

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc
import uvloop

from bankai.channel import channel_options
from bankai.cli.connection import Connection
from bankai.cli.supervisor import ProcessSpec, Supervisor, python_module
from bankai.loopback import HOST, free_ports
from benchmarks.command import Report, arguments, run, say
from benchmarks.fault_subjects import ToySubject
from benchmarks.gateway_files import gateway_files
from benchmarks.isolated import isolated
from benchmarks.load import GENERATOR, Load, Meter
from benchmarks.statistics import milliseconds, paired_ratio

NAME = "scaling"
PROCESSES = (1, 2)
_CONNECTIONS = 16  # the system gives each to one of the processes
_CALLERS = 64
_TIMEOUT_S = 10.0
_OPTIONS = (*channel_options(), ("grpc.use_local_subchannel_pool", 1))


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="rounds of each number (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement (default: %(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 1.0
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    loads: dict[int, list[Load]] = {number: [] for number in (0, *PROCESSES)}
    for turn in range(options.rounds):
        for number, measured in loads.items():
            async with _running(number) as (connection, pids):
                measured.append(await isolated(closed_loop, connection, pids, options.seconds))
            say(f"round {turn + 1}: {number} gateways {measured[-1].rate:.0f}/s")
    one, two = ([load.rate for load in loads[number]] for number in PROCESSES)
    return {
        "failures": sum(load.lost for each in loads.values() for load in each),
        "scaling": paired_ratio(two, one),
        "direct": _report(loads[0]),
        **{f"gateways_{number}": _report(loads[number]) for number in PROCESSES},
    }


def _report(loads: Sequence[Load]) -> Report:
    total = Load()
    for load in loads:
        total.add(load)
    cpu = total.cpu_per_answer_ms()
    gateways = sum(used for name, used in cpu.items() if name.startswith("gateway"))
    return {
        "per_s": [load.rate for load in loads],
        "answer": milliseconds(total.durations),
        "gateway_cpu_ms": gateways,
        "calls_per_core_second": 1000 / gateways if gateways else None,
        "others_cpu_ms": cpu["toy"] + cpu[GENERATOR],
        "cores_used": sum(total.cpu.values()) / total.seconds,
    }


@asynccontextmanager
async def _running(gateways: int) -> AsyncIterator[tuple[Connection, dict[str, int]]]:
    """Starts the toy, and so many gateways before it; yields the way to them, and the process ids by name."""
    subject = ToySubject()
    toy_port, port = free_ports(2)
    command, environment = subject.command(toy_port)
    toy = ProcessSpec("toy", command, environment, f"{HOST}:{toy_port}")
    with tempfile.TemporaryDirectory(prefix="bankai-scaling-") as folder:
        key, settings = gateway_files(Path(folder), subject.service, toy.address)
        settings |= {
            "BANKAI_GATEWAY_SERVER__LISTEN": f"{HOST}:{port}",
            "BANKAI_GATEWAY_SERVER__REUSE_PORT": "true",
        }
        names = [f"gateway-{number}" for number in range(gateways)]
        services = ("", subject.service)
        specs = [ProcessSpec(name, python_module("gateway"), settings, f"{HOST}:{port}", services) for name in names]
        async with Supervisor([*specs, toy], lambda _name, _line: None) as supervisor:
            await supervisor.started()
            yield Connection(f"{HOST}:{port}" if gateways else toy.address, key), supervisor.pids()
            await supervisor.drain()


def closed_loop(connection: Connection, pids: Mapping[str, int], seconds: float) -> Load:
    """Calls again as soon as a call is answered, over many connections; takes over this process's event loop.

    Args:
        connection: Whom to call.
        pids: The processes to watch by their names.
        seconds: How long.
    """
    return uvloop.run(_closed_loop(connection, pids, seconds))


async def _closed_loop(connection: Connection, pids: Mapping[str, int], seconds: float) -> Load:
    subject = ToySubject()
    async with AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(connection.address, _OPTIONS))
            for _ in range(_CONNECTIONS)
        ]
        for channel in channels:
            await subject.ask(channel, connection.metadata, 0, _TIMEOUT_S)
        load = Load()
        meter = Meter(load, pids)
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + seconds

        async def keep_asking(number: int) -> None:
            channel = channels[number % _CONNECTIONS]
            while loop.time() < ends_at:
                await load.count(subject.ask(channel, connection.metadata, number, _TIMEOUT_S))

        await asyncio.gather(*(keep_asking(number) for number in range(_CALLERS)))
        meter.stop()
    return load


if __name__ == "__main__":
    main()
