"""Makes the pictures and maps that prove what was said of a date."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bankai.errors import NotFoundError
from services.progress_monitor.evidence.drawing import enlarged, natural_colour, outlined, overlay, png, white_of
from services.progress_monitor.evidence.maps import Dated, segments, segments_geojson, surfaces_cog
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
            earlier = [each for each in known if each.status is Status.USED and each.acquired <= observation.acquired]
            dates = []
            for each in earlier:
                shown = await self._pixels.findings(project.id, each.id)
                dates.append(Dated(each.acquired, shown.surfaces, shown.usable))
            return await asyncio.to_thread(_buildings, dates, site)
        found = await self._pixels.findings(project.id, observation.id)
        before = await self._pixels.chip(project.id, observation.reference_id or observation.id)
        return await asyncio.to_thread(_drawn, kind, found, before.reflectance, site)


def _buildings(dates: Sequence[Dated], site: Site) -> bytes:
    return segments_geojson(segments(dates, site.grid, site.frame.site) if dates else [], site.grid)


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
