"""What the parts of the work cost each workload, by the figures and by where the manifests run the models."""

from dataclasses import dataclass

from bankai.capacity.cluster import Cluster
from bankai.capacity.demand import Demand
from bankai.capacity.figures import Figures


@dataclass(frozen=True)
class Costs:
    """Seconds of CPU, or of a GPU where said.

    Attributes:
        gateway_final: Of a final segment, its partial ones included, at the gateway.
        intent_loop: Of the same, in the event loop of intent.
        intent_model: Of the same, for the model, wherever it runs.
        page: Of a page, scanned or not, in a pod of doc-extract.
        page_gpu: Of a page, on a GPU.
        site: Of a site, in a pod of progress-monitor.
        site_gpu: Of a site, on a GPU.
    """

    gateway_final: float
    intent_loop: float
    intent_model: float
    page: float
    page_gpu: float
    site: float
    site_gpu: float


def costs_of(demand: Demand, figures: Figures, cluster: Cluster) -> Costs:
    """What the work costs."""
    f = {name: figure.value for name, figure in figures.items()}
    gpu_pages, gpu_sites = cluster["doc-extract"].on_triton, cluster["progress-monitor"].on_triton
    scanned = f["page_scanned_s"] * (1 - f["page_models_share"] if gpu_pages else 1)
    scene = demand.site_km2 * f["scene_s_per_km2"] * (1 - f["scene_models_share"] if gpu_sites else 1)
    return Costs(
        gateway_final=(f["gateway_final_ms"] + demand.partials * f["gateway_partial_ms"]) / 1000,
        intent_loop=(f["intent_loop_ms"] + demand.partials * f["intent_partial_ms"]) / 1000,
        intent_model=f["intent_model_ms"] / 1000,
        page=demand.scanned * scanned + (1 - demand.scanned) * f["page_digital_s"],
        page_gpu=demand.scanned * f["page_gpu_s"] if gpu_pages else 0.0,
        site=f["site_s"] + scene,
        site_gpu=demand.site_km2 * f["scene_gpu_s_per_km2"] if gpu_sites else 0.0,
    )
