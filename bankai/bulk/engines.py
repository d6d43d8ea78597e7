"""The engines by name."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from bankai.bulk import local, on_ray
from bankai.bulk.work import Outcome, Work


class Engine(StrEnum):
    """Who does bulk work."""

    LOCAL = "local"
    """Processes of this machine."""
    RAY = "ray"
    """A Ray cluster."""


def run(engine: Engine, work: Work, items: Sequence[str], workers: int, address: str | None) -> Iterator[Outcome]:
    """Works on items; see `local.run` and `on_ray.run`."""
    if engine is Engine.LOCAL:
        return local.run(work, items, workers)
    return on_ray.run(work, items, workers, address)
