"""The engine for a Ray cluster: Ray Data hands items to actors, and works again on those of a node that dies."""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bankai.bulk.process import WorkingProcess
from bankai.bulk.work import Outcome, Work
from bankai.errors import FaultError
from bankai.loopback import HOST

_MAX_BLOCKS = 10_000
"""Parts that items are handed out in; up to here of one item each, as outcomes are told when all of a part is done."""


class _Actor:
    """A process of the cluster that works."""

    def __init__(self, work: Work) -> None:
        self._process = WorkingProcess(work)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[str]]:
        return {"outcome": [json.dumps(self._process(str(item))) for item in batch["item"]]}


def run(work: Work, items: Sequence[str], workers: int, address: str | None) -> Iterator[Outcome]:
    """Works on items, in whatever order they get done. What a lost node was working on is worked on again.

    Args:
        work: The work; the nodes must have this package installed and reach what it needs.
        items: The items.
        workers: Actors, of one core each.
        address: Of the cluster, e.g. "ray://head:10001" or "auto"; None starts Ray on this machine for the time being.

    Yields:
        What became of each item.

    Raises:
        FaultError: ENGINE_MISSING.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell others of each start
    try:
        import ray  # noqa: PLC0415  # an extra
        import ray.data  # noqa: PLC0415
    except ImportError:
        raise FaultError("ENGINE_MISSING", "Ray is not installed: pip install 'bankai[ray]'") from None
    mine = not ray.is_initialized()
    if mine:
        own: dict[str, Any] = {} if address else {"include_dashboard": False, "_node_ip_address": HOST}
        ray.init(address=address, logging_level=logging.WARNING, log_to_driver=False, **own)
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False  # the command has its own
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        blocks = max(min(len(items), _MAX_BLOCKS), 1)
        rows = ray.data.from_items([{"item": item} for item in items], override_num_blocks=blocks)
        done = rows.map_batches(
            _Actor,
            fn_constructor_args=(work,),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
        )
        for row in done.iter_rows():
            yield json.loads(row["outcome"])
    finally:
        if mine:
            ray.shutdown()
