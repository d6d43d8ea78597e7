"""Hands bulk work to an engine."""

from collections.abc import Iterator, Sequence

from bankai.bulk import local, on_ray
from bankai.bulk.engine import Engine
from bankai.bulk.work import Outcome, Work


def run(engine: Engine, work: Work, items: Sequence[str], workers: int, address: str | None) -> Iterator[Outcome]:
    """Works on items; see `local.run` and `on_ray.run`."""
    if engine is Engine.LOCAL:
        return local.run(work, items, workers)
    return on_ray.run(work, items, workers, address)
