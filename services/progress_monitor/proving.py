"""Makes the pictures and maps that prove what was said of a date."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bankai.errors import NotFoundError
from services.progress_monitor.evidence.drawing import enlarged, natural_colour, outlined, overlay, png, white_of
from services.progress_monitor.evidence.maps import Dated, Pieces, segments_geojson, surfaces_cog
from services.progress_monitor.observation import Observation, Status
from services.progress_monitor.pixels import Findings, PixelStore
from services.progress_monitor.project import Project
from services.progress_monitor.site import Site
from services.progress_monitor.storage.observations import ObservationStore


class EvidenceKind(StrEnum):
    """What kind of proof."""

    BEFORE_PNG = "before_png"
    AFTER_PNG = "after_png"
    OVERLAY_PNG = "overlay_png"
    SURFACES_COG = "surfaces_cog"
    SEGMENTS_GEOJSON = "segments_geojson"


class Proving:
    """Makes proofs.

    Args:
        observations: What was measured.
        pixels: The pixels.
    """

    def __init__(self, observations: ObservationStore, pixels: PixelStore) -> None:
        self._observations, self._pixels = observations, pixels

    async def prove(self, project: Project, observation_id: str, kind: EvidenceKind) -> bytes:
        """A picture or map as a file.

        Args:
            project: The project.
            observation_id: Id of the observation; empty for the last that counts.
            kind: What kind of proof.

        Raises:
            NotFoundError: OBSERVATION_NOT_FOUND or PIXELS_NOT_KEPT.
        """
        known = await self._observations.of_project(project.id)
        observation = _chosen(known, observation_id)
        site = await asyncio.to_thread(Site.of, project.aoi)
        if kind is EvidenceKind.SEGMENTS_GEOJSON:
            used = [each for each in known if each.status is Status.USED and each.acquired <= observation.acquired]
            return await self._buildings(project.id, used, site)
        found = await self._pixels.findings(project.id, observation.id)
        before = await self._pixels.chip(project.id, observation.reference_id or observation.id)
        return await asyncio.to_thread(_drawn, kind, found, before.reflectance, site)

    async def _buildings(self, project_id: str, used: Sequence[Observation], site: Site) -> bytes:
        """Building-like pieces on the last of some dates; one date's pixels are in memory at a time."""
        pieces: Pieces | None = None
        for each in reversed(used):
            if pieces is not None and not pieces.followed:
                break
            date = await self._dated(project_id, each, site)
            if pieces is None:
                pieces = await asyncio.to_thread(Pieces, date, site.aoi.metric)
            else:
                await asyncio.to_thread(pieces.look_back, date)
        return segments_geojson(pieces.segments() if pieces is not None else [], site.grid)

    async def _dated(self, project_id: str, observation: Observation, site: Site) -> Dated:
        """What a date shows, on the finest grid on which it was compared."""
        finer = await self._pixels.detail_findings(project_id, observation.id)
        if finer is not None and site.detail is not None:
            return Dated(observation.acquired, finer.surfaces, finer.usable, site.detail)
        shown = await self._pixels.findings(project_id, observation.id)
        return Dated(observation.acquired, shown.surfaces, shown.usable, site.grid)


def _drawn(kind: EvidenceKind, found: Findings, before: NDArray[np.float32], site: Site) -> bytes:
    if kind is EvidenceKind.SURFACES_COG:
        return surfaces_cog(found.surfaces, site.grid)
    white = white_of(before)
    if kind is EvidenceKind.OVERLAY_PNG:
        picture = natural_colour(found.reflectance, white)
        return png(overlay(picture, found.surfaces, found.usable, site.grid, site.aoi.metric))
    shown = before if kind is EvidenceKind.BEFORE_PNG else found.reflectance
    return png(outlined(enlarged(natural_colour(shown, white)), site.grid, site.aoi.metric))


def _chosen(observations: Sequence[Observation], observation_id: str) -> Observation:
    if observation_id:
        chosen = [each for each in observations if each.id == observation_id and each.status is not Status.REPLAYED]
    else:
        chosen = [each for each in observations if each.status is Status.USED][-1:]
    if not chosen:
        raise NotFoundError("OBSERVATION_NOT_FOUND", "there is no picture of this id that was measured")
    return chosen[0]
