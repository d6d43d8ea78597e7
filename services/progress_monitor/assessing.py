"""Says how far a project is, from what was measured."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from services.progress_monitor.meaning.assessment import Assessment, assess
from services.progress_monitor.meaning.evidence import EvidenceModel
from services.progress_monitor.meaning.states import Belief, StateModel
from services.progress_monitor.observation import Observation, Status
from services.progress_monitor.project import DAY_S, Project
from services.progress_monitor.storage.alerts import AlertStore
from services.progress_monitor.storage.observations import ObservationStore


@dataclass(frozen=True, slots=True)
class Course:
    """A project's course.

    Attributes:
        observations: In order of acquisition.
        beliefs: What is believed of each that counts, by its id.
        assessment: As of the last picture.
    """

    observations: Sequence[Observation]
    beliefs: dict[str, Belief]
    assessment: Assessment


class Assessing:
    """Assesses projects.

    Args:
        observations: What was measured.
        alerts: Keeps the alerts that are raised.
        evidence: The state model's first half.
        states: Its second.
    """

    def __init__(
        self, observations: ObservationStore, alerts: AlertStore, evidence: EvidenceModel, states: StateModel
    ) -> None:
        self._observations, self._alerts, self._evidence, self._states = observations, alerts, evidence, states

    async def assess(self, project: Project, as_of: float | None, *, timeout: float) -> Assessment:  # noqa: ASYNC109  # part of a deadline
        """How far a project was; raises the alerts that are new where it is assessed as of now.

        Args:
            project: The project.
            as_of: Seconds since 1970; None for now.
            timeout: Seconds until the answer is of no use any more.

        Raises:
            BankaiError: As the models and the stores.
        """
        until = as_of if as_of is not None else time.time()
        found = await self._observations.of_project(project.id, until)
        used, beliefs = await self._beliefs(found, timeout)
        assessment = assess(project.plan, until, found, used, beliefs)
        if as_of is None:
            await self._alerts.raise_new(project.id, assessment.alerts)
        return assessment

    async def course(self, project: Project, *, timeout: float) -> Course:  # noqa: ASYNC109  # part of a deadline
        """A project's whole course.

        Raises:
            BankaiError: As the models and the stores.
        """
        found = await self._observations.of_project(project.id)
        used, beliefs = await self._beliefs(found, timeout)
        last = found[-1].acquired if found else time.time()
        by_id = {one.id: belief for one, belief in zip(used, beliefs, strict=True)}
        return Course(found, by_id, assess(project.plan, last, found, used, beliefs))

    async def _beliefs(
        self,
        found: Sequence[Observation],
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> tuple[list[Observation], list[Belief]]:
        used = [each for each in found if each.status is Status.USED]
        if not used:
            return [], []
        days = [each.acquired / DAY_S for each in used]
        evidence = await self._evidence.evidence(days, [each.measures for each in used], timeout=timeout)
        return used, await asyncio.to_thread(self._states.smoothed, evidence)
