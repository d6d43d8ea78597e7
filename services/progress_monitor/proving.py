"""Makes the pictures and maps that prove what was said of a date."""

from collections.abc import Sequence
from enum import StrEnum

from bankai.errors import NotFoundError
from services.progress_monitor.evidence.drawing import enlarged, natural_colour, outlined, overlay, png, white_of
from services.progress_monitor.evidence.maps import Dated, segments, segments_geojson, surfaces_cog
from services.progress_monitor.observation import Observation, Status
from services.progress_monitor.observing import Site
from services.progress_monitor.pixels import PixelStore
from services.progress_monitor.project import Project
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
        site = Site.of(project)
        if kind is EvidenceKind.SEGMENTS_GEOJSON:
            earlier = [each for each in known if each.status is Status.USED and each.acquired <= observation.acquired]
            dates = []
            for each in earlier:
                found = await self._pixels.findings(project.id, each.id)
                dates.append(Dated(each.acquired, found.surfaces, found.usable))
            return segments_geojson(segments(dates, site.grid, site.frame.site) if dates else [], site.grid)
        found = await self._pixels.findings(project.id, observation.id)
        if kind is EvidenceKind.SURFACES_COG:
            return surfaces_cog(found.surfaces, site.grid)
        before = (await self._pixels.chip(project.id, observation.reference_id or observation.id)).reflectance
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
