"""What the gateway costs a call, beside a real Envoy in front of the same service in the same run.

The gateway runs with all that `bankai up` turns on: an API key and a policy for each call, limits, an audit record, a
token for the service, metrics and an access log. Envoy passes bytes on and writes one, too; `make bench-envoy-peer`
installs it. They are asked one call at a time, in turns, so that a slow moment of the machine hits all alike.

direct, envoy, gateway                  Classify at the service, and through each
direct_call, envoy_call, gateway_call   a final segment on a call's stream at the service, and through each
"""

import argparse
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import uvloop

from bankai.cli.connection import Connection
from benchmarks import envoy_process, product
from benchmarks.callers import Target, Way, dialled
from benchmarks.command import Report, arguments, run
from benchmarks.isolated import isolated
from benchmarks.load import Load
from benchmarks.statistics import milliseconds
from benchmarks.turns import Ask, asked_in_turns

NAME = "peer_envoy"
MAX_CPU_RATIO = 3.0
_SUFFIXES = {"unary": "", "stream": "_call"}


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--blocks", type=int, default=20, help="blocks of each way (default: %(default)s)")
    parser.add_argument("--block", type=int, default=100, help="utterances of a block (default: %(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.blocks, options.block = 1, 100  # CPU time is told in hundredths of a second
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    async with product.running() as ours, envoy_process.running(ours.service.address) as peer:
        connections = {"direct": ours.service, envoy_process.NAME: peer.connection, product.GATEWAY: ours.gateway}
        pids = {**peer.pids, product.GATEWAY: ours.pids[product.GATEWAY], product.SERVICE: ours.pids[product.SERVICE]}
        loads = await isolated(in_turns, connections, pids, options.blocks, options.block)
    return {
        "failures": sum(load.lost for load in loads.values()),
        "max_cpu_ratio": MAX_CPU_RATIO,
        "answers": {name: milliseconds(load.durations) for name, load in loads.items()},
        **{kind: _compared(loads, suffix) for kind, suffix in _SUFFIXES.items()},
    }


def _compared(loads: Mapping[str, Load], suffix: str) -> Report:
    cpu = {name: loads[name + suffix].cpu_per_answer_ms()[name] for name in (envoy_process.NAME, product.GATEWAY)}
    p50 = {name: milliseconds(loads[name + suffix].durations)["p50_ms"] for name in ("direct", *cpu)}
    direct = p50["direct"] or 0.0
    return {
        "own_cpu_ms": cpu,
        "added_p50_ms": {name: (p50[name] or 0.0) - direct for name in cpu},
        "calls_per_core_second": {name: 1000 / used if used else None for name, used in cpu.items()},
        "cpu_ratio": cpu[product.GATEWAY] / cpu[envoy_process.NAME] if cpu[envoy_process.NAME] else None,
    }


def in_turns(connections: Mapping[str, Connection], pids: Mapping[str, int], blocks: int, size: int) -> dict[str, Load]:
    """Asks over every way, block by block; takes over this process's event loop.

    Args:
        connections: The ways by their names.
        pids: The processes to watch by their names.
        blocks: How many blocks to ask over each way.
        size: Utterances of a block.

    Returns:
        What was measured, by the way's name; streams under the name with "_call".
    """
    return uvloop.run(_in_turns(connections, pids, blocks, size))


async def _in_turns(
    connections: Mapping[str, Connection], pids: Mapping[str, int], blocks: int, size: int
) -> dict[str, Load]:
    async with _ways(connections) as ways:
        return await asked_in_turns(ways, pids, blocks, size)


@asynccontextmanager
async def _ways(connections: Mapping[str, Connection]) -> AsyncIterator[dict[str, Ask]]:
    async with AsyncExitStack() as stack:
        ways: dict[str, Ask] = {}
        for way, suffix in ((Way.CLASSIFY, _SUFFIXES["unary"]), (Way.CALL, _SUFFIXES["stream"])):
            for name, connection in connections.items():
                ways[name + suffix] = (await dialled(stack, Target(way, connection))).ask
        yield ways


if __name__ == "__main__":
    main()
