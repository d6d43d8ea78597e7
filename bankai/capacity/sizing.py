"""From what a bank asks for to pods, cores, GPUs, bandwidth, storage and money."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bankai.capacity.cluster import Cluster, Workload
from bankai.capacity.costs import Costs, costs_of
from bankai.capacity.demand import Demand
from bankai.capacity.figures import Figures

GPU_BUSY = 0.7
"""Share of a GPU's time that is planned for."""
_GIB = 2.0**30
_WEEKS = 365 / 7


@dataclass(frozen=True)
class Pods:
    """What one workload needs at the peak.

    Attributes:
        workload: Whose.
        pods: How many.
        because: What asks for so many.
        busy: Cores that they use then, all together.
    """

    workload: Workload
    pods: int
    because: str
    busy: float

    @property
    def enough(self) -> bool:
        """Whether the manifests allow so many."""
        return self.pods <= self.workload.most


@dataclass(frozen=True)
class Plan:
    """What a load needs.

    Attributes:
        pods: By workload.
        gpu_share: GPUs' worth of work at the peak, before any is left idle.
        mbit_per_s: What comes and goes at the edge at the peak, by kind of work.
        storage_gib: What is kept after a year, by kind.
        audit_days: Days of calls that the disks of the gateway's pods hold, if nothing is taken away.
        cost: A year's, by kind; in the currency of the prices.
    """

    pods: Sequence[Pods]
    gpu_share: float
    mbit_per_s: Mapping[str, float]
    storage_gib: Mapping[str, float]
    audit_days: float
    cost: Mapping[str, float]


def plan(demand: Demand, figures: Figures, cluster: Cluster, prices: Mapping[str, float]) -> Plan:
    """Sizes what a load needs at its peak.

    Args:
        demand: What is asked for.
        figures: What the parts of the work cost.
        cluster: What the manifests say.
        prices: A year of a `core`, a `memory_gib`, a `gpu`, a `storage_gib`.
    """
    costs = costs_of(demand, figures, cluster)
    needed = [_gateway(demand, costs, cluster), _intent(demand, costs, cluster)]
    needed += [_documents(demand, costs, cluster), _sites(demand, costs, cluster)]
    gpu_share = demand.pages_per_s * costs.page_gpu + _sites_per_s(demand) * costs.site_gpu
    if "triton" in cluster.workloads:
        needed.append(_triton(demand, costs, cluster, gpu_share))
    storage = _storage(demand, figures)
    storage["claims of pods"] = sum(each.pods * each.workload.disk_gib for each in needed)
    cost = {
        "cores": sum(each.pods * each.workload.cores for each in needed) * prices["core"],
        "memory": sum(each.pods * each.workload.memory_gib for each in needed) * prices["memory_gib"],
        "GPUs": sum(each.pods * each.workload.gpus for each in needed) * prices["gpu"],
        "storage": sum(storage.values()) * prices["storage_gib"],
    }
    audit_days = 365 * storage["claims of pods"] / storage["audit log"]
    return Plan(needed, gpu_share, _bandwidth(demand, figures), storage, audit_days, cost)


def _pods(workload: Workload, asked: Mapping[str, float], busy: float) -> Pods:
    """As many as the reason that asks for most."""
    asked = {"the least there may be": workload.least, **asked}
    because = max(asked, key=lambda reason: math.ceil(asked[reason]))
    return Pods(workload, math.ceil(round(asked[because], 9)), because, busy)


def _by_cpu(workload: Workload, busy: float) -> dict[str, float]:
    target = workload.target("cpu")
    return {"CPU": busy / (target * workload.cores)} if target else {}


def _by_calls(workload: Workload, in_flight: float) -> dict[str, float]:
    target = workload.target("in_flight")
    return {"calls in flight": in_flight / target} if target else {}


def _gateway(demand: Demand, costs: Costs, cluster: Cluster) -> Pods:
    workload, busy = cluster["gateway"], demand.finals_per_s * costs.gateway_final
    return _pods(workload, _by_calls(workload, demand.calls) | _by_cpu(workload, busy), busy)


def _intent(demand: Demand, costs: Costs, cluster: Cluster) -> Pods:
    workload = cluster["intent"]
    busy = demand.finals_per_s * (costs.intent_loop + (0.0 if workload.on_triton else costs.intent_model))
    return _pods(workload, _by_calls(workload, demand.calls) | _by_cpu(workload, busy), busy)


def _documents(demand: Demand, costs: Costs, cluster: Cluster) -> Pods:
    workload, busy = cluster["doc-extract"], demand.pages_per_s * costs.page
    at_once = demand.pages_per_s * (costs.page + costs.page_gpu)
    return _pods(workload, _by_calls(workload, at_once) | _by_cpu(workload, busy), busy)


def _sites_per_s(demand: Demand) -> float:
    return demand.km2_per_week / demand.site_km2 / (demand.pass_hours * 3600)


def _sites(demand: Demand, costs: Costs, cluster: Cluster) -> Pods:
    workload, busy = cluster["progress-monitor"], _sites_per_s(demand) * costs.site
    return _pods(workload, _by_cpu(workload, busy), busy)


def _triton(demand: Demand, costs: Costs, cluster: Cluster, gpu_share: float) -> Pods:
    workload = cluster["triton"]
    busy = demand.finals_per_s * costs.intent_model if cluster["intent"].on_triton else 0.0
    asked = {"GPU": gpu_share / (GPU_BUSY * max(workload.gpus, 1)), "utterances": busy / (GPU_BUSY * workload.cores)}
    return _pods(workload, asked, busy)


def _bandwidth(demand: Demand, figures: Figures) -> dict[str, float]:
    mbit = 8 / 1e6
    return {
        "calls": demand.finals_per_s * (1 + demand.partials) * figures["final_bytes"].value * mbit,
        "documents": demand.pages_per_s * figures["page_bytes"].value * mbit,
        "pictures": _sites_per_s(demand) * demand.site_km2 * figures["km2_bytes"].value * mbit,
    }


def _storage(demand: Demand, figures: Figures) -> dict[str, float]:
    records = demand.calls_per_day + demand.pages_per_day / demand.document_pages
    pages = demand.pages_per_day * demand.retention_days * figures["page_bytes"].value
    return {
        "documents": pages / _GIB,
        "pictures": demand.km2_per_week * _WEEKS * figures["km2_bytes"].value / _GIB,
        "audit log": 365 * records * figures["audit_bytes"].value / _GIB,
    }
