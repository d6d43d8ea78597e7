"""Between the API's messages and the domain."""

import math
import time
from collections.abc import Iterable

from google.longrunning import operations_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from bankai.progress.v1 import progress_pb2 as pb
from bankai.requests import invalid
from bankai.timestamps import seconds, timestamp
from services.progress_monitor.aoi import parse_aoi
from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.imagery.opening import Corners
from services.progress_monitor.imagery.sensors import Sensor
from services.progress_monitor.importing import Catalogue, ImportStatus, Outcome
from services.progress_monitor.meaning.alerts import Alert, AlertKind
from services.progress_monitor.meaning.assessment import Assessment, Decision
from services.progress_monitor.meaning.stages import Stage
from services.progress_monitor.meaning.states import Belief
from services.progress_monitor.observation import Observation, Status
from services.progress_monitor.photos.photo import SitePhoto
from services.progress_monitor.project import CurvePoint, Drawdown, Milestone, Plan, Project, check_project
from services.progress_monitor.proving import EvidenceKind
from services.progress_monitor.storage.rescans import Rescan

RESCAN_PREFIX = "rescans/"
"""How names of rescans begin."""

_SENSORS = {
    pb.SENSOR_SENTINEL2_L1C: Sensor.SENTINEL2_L1C,
    pb.SENSOR_SENTINEL2_L2A: Sensor.SENTINEL2_L2A,
    pb.SENSOR_LANDSAT_L2: Sensor.LANDSAT_L2,
    pb.SENSOR_RGB: Sensor.RGB,
}
_SENSOR_VALUES = {sensor: value for value, sensor in _SENSORS.items()}
_STATUSES = {
    Status.USED: pb.OBSERVATION_STATUS_USED,
    Status.OBSCURED: pb.OBSERVATION_STATUS_OBSCURED,
    Status.NOT_REGISTERED: pb.OBSERVATION_STATUS_NOT_REGISTERED,
    Status.REPLAYED: pb.OBSERVATION_STATUS_REPLAYED,
}
_IMPORTS = {status: pb.ImportStatus.Value(f"IMPORT_STATUS_{status.name}") for status in ImportStatus}
_ALERTS = {kind: pb.AlertKind.Value(f"ALERT_KIND_{kind.name}") for kind in AlertKind}
_KINDS = {pb.EvidenceKind.Value(f"EVIDENCE_KIND_{kind.name}"): kind for kind in EvidenceKind}
_DECISIONS = {decision: pb.DrawdownDecision.Value(f"DRAWDOWN_DECISION_{decision.name}") for decision in Decision}


def _when(value: float | None) -> Timestamp | None:
    """A time; None stays None."""
    return None if value is None else timestamp(value)


def project(message: pb.Project, aoi_geojson: str | None = None) -> Project:
    """A project that a caller sent.

    Args:
        message: The message.
        aoi_geojson: The site that is kept already; None to read the message's.

    Raises:
        InvalidRequestError: What is wrong with it.
    """
    plan = Plan(
        curve=tuple(CurvePoint(seconds(point.time), point.progress) for point in message.plan),
        milestones=tuple(Milestone(each.name, seconds(each.time), each.progress) for each in message.milestones),
        drawdowns=tuple(
            Drawdown(each.drawdown_id, seconds(each.time), each.required_progress, each.claimed_progress)
            for each in message.drawdowns
        ),
    )
    check_project(message.project_id, message.name, plan)
    aoi = parse_aoi(aoi_geojson) if aoi_geojson else parse_aoi(message.aoi_geojson, message.aoi_crs)
    return Project(message.project_id, message.name, aoi.geojson(), plan, time.time(), aoi.area_m2)


def project_message(kept: Project) -> pb.Project:
    """A project as it is kept."""
    return pb.Project(
        project_id=kept.id,
        name=kept.name,
        aoi_geojson=kept.aoi,
        plan=curve(kept.plan.curve),
        milestones=[
            pb.Milestone(name=each.name, time=timestamp(each.time), progress=each.progress)
            for each in kept.plan.milestones
        ],
        drawdowns=[
            pb.Drawdown(
                drawdown_id=each.id,
                time=timestamp(each.time),
                required_progress=each.required,
                claimed_progress=each.claimed,
            )
            for each in kept.plan.drawdowns
        ],
        create_time=timestamp(kept.created),
        area_m2=kept.area_m2,
    )


def curve(points: Iterable[CurvePoint]) -> list[pb.CurvePoint]:
    """A planned course."""
    return [pb.CurvePoint(time=timestamp(point.time), progress=point.progress) for point in points]


def sensor(value: int, field: str) -> Sensor:
    """Where a picture comes from.

    Args:
        value: As the API names it.
        field: Path of the field that says it.

    Raises:
        InvalidRequestError: SENSOR_REQUIRED.
    """
    if value not in _SENSORS:
        raise invalid("SENSOR_REQUIRED", field, "must say where the picture comes from")
    return _SENSORS[pb.Sensor.ValueType(value)]


def corners(message: pb.Corners) -> Corners:
    """Corners that a caller gives."""
    places = (message.top_left, message.top_right, message.bottom_right, message.bottom_left)
    return Corners(*((place.longitude, place.latitude) for place in places))


def catalogue(request: pb.ImportStacRequest) -> Catalogue:
    """What is to be imported.

    Raises:
        InvalidRequestError: SENSOR_REQUIRED, for a sensor that is not known.
    """
    return Catalogue(
        uri=request.uri,
        start=seconds(request.start_time) if request.HasField("start_time") else -math.inf,
        end=seconds(request.end_time) if request.HasField("end_time") else math.inf,
        sensor=sensor(request.sensor, "sensor") if request.sensor else None,
    )


def import_message(outcome: Outcome) -> pb.ImportStacResponse:
    """What became of an item."""
    return pb.ImportStacResponse(
        item_id=outcome.item_id,
        status=_IMPORTS[outcome.status],
        reason=outcome.reason,
        message=outcome.message,
        observation=observation_message(outcome.observation) if outcome.observation else None,
        items=outcome.items,
    )


def observation_message(kept: Observation) -> pb.Observation:
    """A picture and what it shows."""
    registration = kept.registration
    return pb.Observation(
        observation_id=kept.id,
        acquire_time=timestamp(kept.acquired),
        sensor=_SENSOR_VALUES[kept.sensor],
        status=_STATUSES[kept.status],
        reason=kept.reason,
        sha256=kept.sha256,
        registration=pb.Registration(
            shift_x_px=registration.dx,
            shift_y_px=registration.dy,
            rotation_deg=registration.turn,
            quality=registration.quality,
        ),
        usable_share=kept.measures.usable,
        surface_shares={Surface(number).name.lower(): share for number, share in enumerate(kept.measures.shares)},
        model_version=kept.model_version,
    )


def photo_message(photo: SitePhoto) -> pb.SitePhoto:
    """A photo and what is doubtful about it."""
    place = pb.LonLat(longitude=photo.place[0], latitude=photo.place[1]) if photo.place else None
    return pb.SitePhoto(
        photo_id=photo.id,
        exif_time=_when(photo.taken),
        exif_place=place,
        distance_m=-1.0 if photo.distance_m is None else photo.distance_m,
        doubts=photo.doubts,
        sha256=photo.sha256,
    )


def alert_message(alert: Alert, project_id: str, raised: float | None = None) -> pb.Alert:
    """Something that is wrong."""
    return pb.Alert(
        kind=_ALERTS[alert.kind],
        message=alert.message,
        since=timestamp(alert.since),
        observation_ids=alert.observations,
        project_id=project_id,
        raise_time=_when(raised),
    )


def stage_value(stage: Stage) -> pb.Stage.ValueType:
    """A stage as the API names it."""
    return pb.Stage.Value(f"STAGE_{stage.name}")


def assessment_message(found: Assessment, project_id: str) -> pb.Assessment:
    """How far a project was."""
    message = pb.Assessment(
        project_id=project_id,
        as_of=timestamp(found.as_of),
        not_started_until=_when(found.not_started_until),
        started_by=_when(found.started_by),
        speed_per_month=found.speed * 30,
        finish_estimate=_when(found.finish),
        planned_progress=found.planned,
        variance_days=found.days_ahead,
        alerts=[alert_message(alert, project_id) for alert in found.alerts],
        observations=len(found.observations),
        observations_used=len(found.used),
    )
    belief = found.belief
    if belief is not None:
        low, high = belief.interval()
        message.stage = stage_value(belief.stage)
        message.stage_probabilities.update({stage.id: float(belief.stages[stage]) for stage in Stage})
        message.progress, message.progress_low, message.progress_high = belief.progress, low, high
        message.last_used_time.CopyFrom(timestamp(found.used[-1].acquired))
        message.model_version = found.used[-1].model_version
        if found.planned is not None:
            message.variance_points = belief.progress - found.planned
    return message


def timeline_point(observation: Observation, belief: Belief | None) -> pb.TimelinePoint:
    """What was known on a date."""
    point = pb.TimelinePoint(observation=observation_message(observation))
    if belief is not None:
        low, high = belief.interval()
        point.stage = stage_value(belief.stage)
        point.progress, point.progress_low, point.progress_high = belief.progress, low, high
    return point


def evidence_kind(value: int) -> EvidenceKind:
    """What kind of proof is asked for.

    Raises:
        InvalidRequestError: EVIDENCE_KIND_REQUIRED.
    """
    if value not in _KINDS:
        raise invalid("EVIDENCE_KIND_REQUIRED", "kind", "must say what kind of proof")
    return _KINDS[pb.EvidenceKind.ValueType(value)]


def decision_value(decision: Decision) -> pb.DrawdownDecision.ValueType:
    """What to do about a drawdown, as the API names it."""
    return _DECISIONS[decision]


def rescan_message(rescan: Rescan) -> operations_pb2.Operation:
    """A rescan as it is now."""
    message = operations_pb2.Operation(name=RESCAN_PREFIX + rescan.id, done=rescan.done == rescan.projects)
    message.metadata.Pack(
        pb.RescanPortfolioMetadata(
            projects=rescan.projects, projects_done=rescan.done, create_time=timestamp(rescan.created)
        )
    )
    if message.done:
        message.response.Pack(
            pb.RescanPortfolioResponse(
                projects=rescan.projects, observations=rescan.observations, failures=rescan.failures
            )
        )
    return message
