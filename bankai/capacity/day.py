"""A national bank's day on the manifests: work comes, and pods come and go as the autoscalers decide."""

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import simpy

from bankai.capacity.cluster import Cluster
from bankai.capacity.costs import costs_of
from bankai.capacity.demand import Demand
from bankai.capacity.figures import Figures
from bankai.capacity.fleet import SAMPLE_S, Fleet, Load
from bankai.capacity.live import MODEL_THREADS, Live, Tally
from bankai.capacity.profile import Day
from bankai.capacity.slots import Slots

EXTRACTIONS = 2
"""Default of BANKAI_DOC_EXTRACT_LIMITS__EXTRACTIONS."""
EXTRACTIONS_WAITING = 16
"""Default of BANKAI_DOC_EXTRACT_LIMITS__EXTRACTIONS_WAITING."""
BATCH_WORKERS = 1
"""Default of BANKAI_DOC_EXTRACT_BATCH__WORKERS."""
RESCAN_WORKERS = 1
"""Default of BANKAI_PROGRESS_MONITOR_RESCAN__WORKERS."""
_HOUR = 3600.0
_MINUTE = 60.0

Event = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Moment:
    """How things stand at one minute of the day.

    Attributes:
        hour: When.
        calls: Calls at once.
        pods: Pods that get work, by workload.
        wait_s: How long a final segment waits for its turn on the busiest pod of intent.
        busy: Share of what it can do that the busiest pod of intent does.
        documents: Documents that callers wait for and that have not been begun.
        batch: Documents of batches that are not done.
        sites: Sites that are not done.
    """

    hour: float
    calls: float
    pods: dict[str, int]
    wait_s: float
    busy: float
    documents: int
    batch: int
    sites: int


@dataclass
class Course:
    """The day.

    Attributes:
        moments: Minute by minute.
        tallies: What became of calls, final segments, documents, batch documents and sites.
        ended: Hour at which the batch and the sites were done; None where they were not.
        document_s: Seconds that each document which a caller waited for took.
    """

    moments: list[Moment] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)
    ended: dict[str, float | None] = field(default_factory=dict)
    document_s: list[float] = field(default_factory=list)


def simulate_day(demand: Demand, figures: Figures, cluster: Cluster, day: Day, *, hours: float = 24.0) -> Course:
    """Lets a day pass.

    Args:
        demand: What is asked for, at the peak of a usual day.
        figures: What it costs.
        cluster: What the manifests say.
        day: What happens when.
        hours: How much of the day.
    """
    return _Bank(demand, figures, cluster, day).run(hours)


class _Bank:
    def __init__(self, demand: Demand, figures: Figures, cluster: Cluster, day: Day) -> None:
        self._demand, self._day = demand, day
        self._costs = costs_of(demand, figures, cluster)
        self._random, self._chance = Random(0), np.random.default_rng(0)  # noqa: S311
        self._env = env = simpy.Environment()
        node_s = figures["start_node_s"].value
        self._fleets = {
            name: Fleet(
                env,
                workload,
                start_s=node_s + figures[f"start_{name.replace('-', '_')}_s"].value,
                scrape_s=cluster.scrape_s,
            )
            for name, workload in cluster.workloads.items()
            if f"start_{name.replace('-', '_')}_s" in figures
        }
        intent, gateway = cluster["intent"], cluster["gateway"]
        self._on_triton = intent.on_triton
        self._live = Live(
            demand,
            self._costs,
            gateway,
            intent,
        )
        self._extracting, self._batching = Slots(env, 0), Slots(env, 0)
        self._scanning, self._gpu = Slots(env, 0), Slots(env, 0)
        self._cpu_documents = self._cpu_sites = 0
        self._course = Course(tallies={name: Tally() for name in ("documents", "batch documents", "sites")})
        self._course.tallies |= {"calls": self._live.calls, "final segments": self._live.finals}
        self._wait_s = 0.0
        self._changed()

    def run(self, hours: float) -> Course:
        env = self._env
        for fleet in self._fleets.values():
            env.process(fleet.scaled(self._changed))
        for process in (self._calling(), self._documents(), self._batch(), self._pass(), self._watching()):
            env.process(process)
        env.run(until=hours * _HOUR)
        for tally in (self._course.tallies[name] for name in ("documents", "batch documents", "sites")):
            tally.waiting = tally.arrived - tally.served - tally.refused
        return self._course

    @property
    def _hour(self) -> float:
        return self._env.now / _HOUR

    def _changed(self) -> None:
        """Pods have come or gone."""
        serving = {name: fleet.serving for name, fleet in self._fleets.items()}
        self._live.resize(serving["gateway"], serving["intent"])
        documents, sites = self._fleets["doc-extract"].workload, self._fleets["progress-monitor"].workload
        pods = serving["doc-extract"]
        self._extracting.resize(pods * int(documents.setting("LIMITS__EXTRACTIONS", EXTRACTIONS)))
        self._batching.resize(pods * int(documents.setting("BATCH__WORKERS", BATCH_WORKERS)))
        self._scanning.resize(serving["progress-monitor"] * int(sites.setting("RESCAN__WORKERS", RESCAN_WORKERS)))
        self._gpu.resize(serving.get("triton", 1))

    def _calling(self) -> Event:
        """Calls come and talk; loads are noted."""
        demand, live = self._demand, self._live
        live.gateway.level(self._day.calls(0) * demand.calls)
        live.intent.spread(self._day.calls(0) * demand.calls)
        live.calls.arrived = self._day.calls(0) * demand.calls
        while True:
            expected = self._day.calls(self._hour) * demand.calls * SAMPLE_S / demand.call_s
            arriving = float(self._chance.poisson(expected))
            self._wait_s = live.step(SAMPLE_S, arriving, self._triton_rate())
            self._sample()
            yield self._env.timeout(SAMPLE_S)

    def _triton_rate(self) -> float:
        if not self._on_triton:
            return math.inf
        return self._fleets["triton"].serving * MODEL_THREADS / self._costs.intent_model

    def _sample(self) -> None:
        finals, costs = float(self._live.done.sum()), self._costs
        calls = float(self._live.gateway.calls.sum())
        intent_s = costs.intent_loop + (0.0 if self._on_triton else costs.intent_model)
        extracting = self._extracting.busy + self._extracting.waiting
        waits = {"ocr_rec": self._gpu.wait_s, "progress_change": self._gpu.wait_s}
        if self._on_triton:
            waits["intent"] = self._wait_s
        loads = {
            "gateway": Load(finals * costs.gateway_final, calls, {}),
            "intent": Load(finals * intent_s, calls, {}),
            "doc-extract": Load(self._cpu_documents, extracting, {}),
            "progress-monitor": Load(self._cpu_sites, 0, {}),
            "triton": Load(0, 0, waits),
        }
        for name, fleet in self._fleets.items():
            fleet.sampled(loads[name])

    def _documents(self) -> Event:
        """Documents that callers wait for."""
        pages = self._demand.pages_per_day * self._day.month_end * (1 - self._day.batch)
        tally = self._course.tallies["documents"]
        while True:
            expected = pages * self._day.pages(self._hour) / self._demand.document_pages / (_HOUR / _MINUTE)
            moments = sorted(self._random.uniform(0, _MINUTE) for _ in range(int(self._chance.poisson(expected))))
            began = self._env.now
            for moment in moments:
                yield self._env.timeout(began + moment - self._env.now)
                tally.arrived += 1
                if self._extracting.waiting >= EXTRACTIONS_WAITING * self._fleets["doc-extract"].serving:
                    tally.refused += 1
                else:
                    self._env.process(self._extract(self._extracting, tally, self._course.document_s))
            yield self._env.timeout(began + _MINUTE - self._env.now)

    def _batch(self) -> Event:
        """A batch is handed in, and done by whoever has a hand free."""
        pages = self._demand.pages_per_day * self._day.month_end * self._day.batch
        yield self._env.timeout(self._day.batch_at * _HOUR)
        yield from self._all(
            "batch documents",
            round(pages / self._demand.document_pages),
            lambda tally: self._extract(self._batching, tally),
        )

    def _pass(self) -> Event:
        """A week's pictures are there, and every site is scanned."""
        yield self._env.timeout(self._day.pass_at * _HOUR)
        yield from self._all("sites", round(self._demand.km2_per_week / self._demand.site_km2), self._scan)

    def _all(self, name: str, count: int, work: Any) -> Event:
        self._course.ended[name] = None
        tally = self._course.tallies[name]
        tally.arrived += count
        yield self._env.all_of([self._env.process(work(tally)) for _ in range(count)])
        self._course.ended[name] = self._hour

    def _extract(self, slots: Slots, tally: Tally, took: list[float] | None = None) -> Event:
        came = self._env.now
        yield slots.take()
        pages = self._random.gammavariate(_SHAPE, self._demand.document_pages / _SHAPE)
        self._cpu_documents += 1
        yield self._env.timeout(pages * self._costs.page)
        self._cpu_documents -= 1
        yield from self._on_gpu(pages * self._costs.page_gpu)
        slots.give()
        tally.served += 1
        if took is not None:
            took.append(self._env.now - came)

    def _scan(self, tally: Tally) -> Event:
        yield self._scanning.take()
        self._cpu_sites += 1
        yield self._env.timeout(self._costs.site)
        self._cpu_sites -= 1
        yield from self._on_gpu(self._costs.site_gpu)
        self._scanning.give()
        tally.served += 1

    def _on_gpu(self, seconds: float) -> Event:
        if seconds:
            yield self._gpu.take()
            yield self._env.timeout(seconds)
            self._gpu.give()

    def _watching(self) -> Event:
        """Writes down how things stand, once a minute."""
        demand, tallies = self._demand, self._course.tallies
        while True:
            batch, sites = tallies["batch documents"], tallies["sites"]
            rate = float(self._live.intent.calls.max()) / demand.period_s
            self._course.moments.append(
                Moment(
                    hour=self._hour,
                    calls=float(self._live.gateway.calls.sum()),
                    pods={name: fleet.serving for name, fleet in self._fleets.items()},
                    wait_s=self._wait_s,
                    busy=rate / min(self._live.rate, self._triton_rate() / len(self._live.done)),
                    documents=self._extracting.waiting,
                    batch=round(batch.arrived - batch.served),
                    sites=round(sites.arrived - sites.served),
                )
            )
            yield self._env.timeout(_MINUTE)


_SHAPE = 2.0
"""Of the gamma distribution of documents' pages: most are short, a few long."""
