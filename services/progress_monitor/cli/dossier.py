"""All that is known of a project, gathered for a plot or a report."""

from collections.abc import Sequence
from dataclasses import dataclass

from bankai.client.progress import ProgressClient
from bankai.progress.v1 import progress_pb2 as pb

USED = pb.OBSERVATION_STATUS_USED


@dataclass(frozen=True, slots=True)
class Dossier:
    """A project with its course.

    Attributes:
        project: The project.
        timeline: Its course, the assessment as of the last picture with it.
        checks: Each drawdown with what to do about it, as of the last picture.
    """

    project: pb.Project
    timeline: pb.GetTimelineResponse
    checks: Sequence[tuple[pb.Drawdown, pb.CheckDrawdownResponse]]

    @property
    def used(self) -> list[pb.TimelinePoint]:
        """The dates that count."""
        return [point for point in self.timeline.points if point.observation.status == USED]


async def gather(client: ProgressClient, project_id: str) -> Dossier:
    """Gathers a project's dossier.

    Raises:
        BankaiError: The service cannot be reached, or knows no such project.
    """
    project = await client.project(project_id)
    timeline = await client.timeline(project_id)
    checks = []
    for drawdown in project.drawdowns:
        request = pb.CheckDrawdownRequest(
            project_id=project_id, drawdown_id=drawdown.drawdown_id, as_of=timeline.latest.as_of
        )
        checks.append((drawdown, await client.check_drawdown(request)))
    return Dossier(project, timeline, checks)
