"""Promoting a candidate and rolling it back: the order of the steps, each of which may be the last before a crash."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from bankai.errors import BankaiError, ConflictError, InvalidRequestError, NotFoundError
from bankai.inference import companions
from bankai.inference.repository import ModelRepository
from bankai.inference.session import open_session
from bankai.rollout import gate, history, versions
from bankai.rollout.gate import Evaluation, Finding
from bankai.rollout.history import Judged, Record
from bankai.rollout.judging import Judge, beside, data_digest


class Control(Protocol):
    """A server that goes over to another version when it is told to."""

    def load(self, name: str, version: int) -> None:
        """Goes over to a version; raises UnavailableError where it stays with the one before."""


@dataclass(frozen=True)
class Judgement:
    """What came of one evaluation on one set of data."""

    command: str
    data: Path
    findings: Sequence[Finding]


@dataclass(frozen=True)
class Outcome:
    """What was done.

    Attributes:
        before: Version that was served.
        after: Version that is served now; None where the gate did not let the candidate pass.
        judgements: What that rests on.
        restart: Files for whose sake running services keep the version before until they are started anew.
    """

    before: int
    after: int | None
    judgements: Sequence[Judgement] = ()
    restart: Sequence[str] = ()


class Rollout:
    """Changes which version of a model is served.

    Args:
        repository: The model repository.
        name: Name of the model.
        by: Who does it, for the history.
        judge: Runs an evaluation.
        control: A Triton that serves the repository, too; None where services run the models in their processes.

    Raises:
        NotFoundError: MODEL_NOT_FOUND.
        FaultError: The model's folder is wrong.
    """

    def __init__(
        self, repository: ModelRepository, name: str, *, by: str, judge: Judge, control: Control | None = None
    ) -> None:
        self._repository = repository
        self._name = name
        self._config = repository.config(name)
        self._folder = repository.models_dir / name
        self._by = by
        self._judge = judge
        self._control = control

    def promote(self, candidate: Path, own_data: Sequence[str] = ()) -> Outcome:
        """Judges a candidate and, where the gate lets it pass, puts it into service as the next version.

        Args:
            candidate: Folder with the files of a version.
            own_data: More sets to judge on, "PATH" for the gate's first evaluation or "COMMAND=PATH".

        Raises:
            InvalidRequestError: The candidate, the gate or the data cannot be used.
            FaultError: MODEL_FILE_INVALID or MODEL_CONFIG_INVALID, where the candidate does not load.
            ConflictError: CANDIDATE_KNOWN, MODEL_RESTART_NEEDED or ROLLOUT_UNDER_WAY.
            UnavailableError: TRITON_LOAD_FAILED; the version before is served again.
        """
        rules = gate.read_gate(self._folder)
        sets = [(each, self._folder / path, True) for each in rules.evaluations for path in each.data]
        sets += [(*_own(rules.evaluations, text), False) for text in own_data]
        if not sets:
            raise InvalidRequestError("DATA_MISSING", "the gate names no data for this model: give --data")
        for _, path, _ in sets:
            if not path.exists():
                raise InvalidRequestError("DATA_MISSING", f"{path} is not there to judge on")
        with versions.locked(self._folder):
            serving = self._repository.version_dir(self._name)
            before = int(serving.name)
            staged = versions.stage(candidate, self._folder)
            try:
                digest = versions.digest(staged)
                self._refuse_known(digest)
                restart = self._check(staged, serving)
                judgements = self._judged(rules.service, sets, staged, serving)
                evaluations = tuple(_judged(each) for each in judgements)
                record = partial(Record, by=self._by, before=before, digest=digest, evaluations=evaluations)
                if any(each.problems for each in evaluations):
                    history.append(self._folder, record(action="refuse", after=None))
                    return Outcome(before, None, judgements)
                # From here on a new folder alone changes nothing, even where the policy was "the newest".
                versions.point(self._folder, before)
                after = self._repository.present(self._name)[-1] + 1
                promotion = record(action="promote", after=after)
                # Recorded before it is there: no version lies in the repository of which nobody knows why.
                history.append(self._folder, promotion)
                versions.place(staged, after)
            finally:
                versions.discard(staged)
            self._switch(promotion, after)
        return Outcome(before, after, judgements, restart)

    def rollback(self, to: int | None = None) -> Outcome:
        """Puts an earlier version back into service. Nothing is deleted.

        Args:
            to: The version; the one that the version in service had replaced where None.

        Raises:
            NotFoundError: VERSION_MISSING.
            ConflictError: VERSION_SERVED, VERSION_UNJUDGED, VERSION_CHANGED, MODEL_RESTART_NEEDED or ROLLOUT_UNDER_WAY.
            FaultError: MODEL_FILE_INVALID or MODEL_CONFIG_INVALID, where it does not load any more.
            UnavailableError: TRITON_LOAD_FAILED; the version before is served again.
        """
        with versions.locked(self._folder):
            serving = self._repository.version_dir(self._name)
            before = int(serving.name)
            after = self._replaced(before) if to is None else to
            if after not in self._repository.present(self._name):
                raise NotFoundError("VERSION_MISSING", f"model {self._name!r} has no version {after} to go back to")
            if after == before:
                raise ConflictError("VERSION_SERVED", f"version {after} of model {self._name!r} is in service already")
            target = self._folder / str(after)
            digest = versions.digest(target)
            records = history.read(self._folder)
            if after > before and not any(after in (record.before, record.after) for record in records):
                raise ConflictError(
                    "VERSION_UNJUDGED",
                    f"version {after} has never been in service: take its folder out of the repository and promote it",
                )
            if digest != known_digest(records, after, digest):
                raise ConflictError("VERSION_CHANGED", f"version {after} is not what was promoted: its files differ")
            restart = self._check(target, serving)
            record = Record(by=self._by, action="rollback", before=before, after=after, digest=digest)
            history.append(self._folder, record)
            self._switch(record, after)
        return Outcome(before, after, restart=restart)

    def _check(self, version_dir: Path, serving: Path) -> Sequence[str]:
        """Makes sure that a version can be loaded; tells the files for which services must be started anew."""
        open_session(version_dir, self._config, threads=1)
        restart = companions.changed(serving, version_dir, self._config.file)
        if restart and self._control is not None:
            raise ConflictError(
                "MODEL_RESTART_NEEDED",
                f"{', '.join(restart)} differ from version {serving.name}'s, which running services have read, and"
                " Triton would go over at once: serve this version beside the other (docs/models.md, Canary)",
            )
        return restart

    def _refuse_known(self, digest: str) -> None:
        for version in self._repository.present(self._name):
            if versions.digest(self._folder / str(version)) == digest:
                raise ConflictError(
                    "CANDIDATE_KNOWN",
                    f"these files are version {version} already: `bankai models rollback --to` names it",
                )

    def _judged(
        self, service: str, sets: Sequence[tuple[Evaluation, Path, bool]], staged: Path, serving: Path
    ) -> Sequence[Judgement]:
        judgements = []
        with (
            beside(self._repository, self._name, serving) as one,
            beside(self._repository, self._name, staged) as other,
        ):
            for evaluation, path, limits in sets:
                before, after = (self._judge(models, service, evaluation.command, path) for models in (one, other))
                findings = gate.compare(evaluation.metrics, before, after, limits=limits)
                if all(finding.serving is None and finding.candidate is None for finding in findings):
                    raise InvalidRequestError("DATA_MISSING", f"{path} defines no metric of the gate")
                judgements.append(Judgement(evaluation.command, path, findings))
        return judgements

    def _replaced(self, serving: int) -> int:
        """The version that the one in service has replaced; where nothing tells, the one below it, or 0."""
        for record in reversed(history.read(self._folder)):
            if record.action == "promote" and record.after == serving:
                return record.before
        return max((version for version in self._repository.present(self._name) if version < serving), default=0)

    def _switch(self, record: Record, after: int) -> None:
        """Does what is recorded; takes it back where Triton does not follow."""
        versions.point(self._folder, after)
        if self._control is None:
            return
        try:
            self._control.load(self._name, after)
        except BankaiError as error:
            versions.point(self._folder, record.before)
            history.append(self._folder, record.model_copy(update={"action": "failed", "problem": error.message}))
            raise


@dataclass(frozen=True)
class VersionStatus:
    """One version of a model.

    Attributes:
        version: Its number.
        digest: Digest of its files.
        serving: Whether it is the one in service.
        state: "as recorded", "changed since", or "unrecorded" where no rollout has put it there.
        promoted: The record of its promotion.
    """

    version: int
    digest: str
    serving: bool
    state: Literal["as recorded", "changed since", "unrecorded"]
    promoted: Record | None


def status(repository: ModelRepository, name: str) -> Sequence[VersionStatus]:
    """Every version of a model, the newest first.

    Raises:
        NotFoundError: MODEL_NOT_FOUND.
        FaultError: The model's folder is wrong.
    """
    folder = repository.models_dir / name
    serving = repository.version_dir(name).name
    records = history.read(folder)
    told = []
    for version in reversed(repository.present(name)):
        digest = versions.digest(folder / str(version))
        promoted = next((each for each in reversed(records) if _put_there(each, version)), None)
        known = known_digest(records, version, "")
        state: Literal["as recorded", "changed since", "unrecorded"] = (
            "unrecorded" if not known else "as recorded" if known == digest else "changed since"
        )
        told.append(VersionStatus(version, digest, str(version) == serving, state, promoted))
    return told


def known_digest(records: Sequence[Record], version: int, otherwise: str) -> str:
    """Digest with which a version was last put into service; `otherwise` where no rollout has done that."""
    known = (each.digest for each in reversed(records) if each.after == version and each.action != "failed")
    return next(known, otherwise)


def _put_there(record: Record, version: int) -> bool:
    return record.action == "promote" and record.after == version


def _own(evaluations: Sequence[Evaluation], text: str) -> tuple[Evaluation, Path]:
    command, is_named, path = text.partition("=")
    named = {evaluation.command: evaluation for evaluation in evaluations}
    if is_named and command in named:
        return named[command], Path(path)
    return evaluations[0], Path(text)


def _judged(judgement: Judgement) -> Judged:
    return Judged(
        command=judgement.command,
        data=judgement.data.name,
        sha256=data_digest(judgement.data),
        serving={finding.metric: finding.serving for finding in judgement.findings},
        candidate={finding.metric: finding.candidate for finding in judgement.findings},
        problems=tuple(f"{finding.metric}: {finding.problem}" for finding in judgement.findings if finding.problem),
    )
