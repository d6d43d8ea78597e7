"""What promoting and rolling back leave behind, also where they are cut off in the middle."""

import fcntl
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bankai.errors import BankaiError, ConflictError, FaultError, InvalidRequestError, NotFoundError, UnavailableError
from bankai.inference.repository import ModelRepository
from bankai.rollout import history, versions
from bankai.rollout import rollout as rollout_module
from bankai.rollout.rollout import status
from tests.bankai.rollout.conftest import FakeJudge, Open, served

Make = Callable[..., Path]


class FakeTriton:
    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.loaded: list[int] = []

    def load(self, name: str, version: int) -> None:
        assert name == "double"
        if self.broken:
            raise UnavailableError("TRITON_LOAD_FAILED", "it does not load")
        self.loaded.append(version)


def _folder(repository: ModelRepository) -> Path:
    return repository.models_dir / "double"


def test_a_good_candidate_becomes_the_next_version(
    repository: ModelRepository, rollout: Open, candidate: Make, judge: FakeJudge, tmp_path: Path
) -> None:
    own = tmp_path / "own.txt"
    own.write_text("mine")
    files = candidate()
    outcome = rollout().promote(files, [str(own), f"other={own}"])
    assert (outcome.before, outcome.after, outcome.restart) == (1, 2, [])
    assert served(repository) == "2"
    assert repository.present("double") == [1, 2]
    assert {file.name: file.read_bytes() for file in (_folder(repository) / "2").iterdir()} == {
        file.name: file.read_bytes() for file in files.iterdir()
    }
    # Both are judged on every set, the gate's and one's own.
    sets = [("toy", "toy", "toy.txt"), ("toy", "toy", "own.txt"), ("toy", "other", "own.txt")]
    assert judge.asked == [each for each in sets for _ in range(2)]
    [record] = history.read(_folder(repository))
    assert (record.by, record.action, record.before, record.after) == ("me", "promote", 1, 2)
    assert record.digest == versions.digest(files)
    assert [(each.command, each.data) for each in record.evaluations] == [each[1:] for each in sets]
    assert record.evaluations[0].serving == {"accuracy": 0.8, "error": 1.0}
    assert record.evaluations[0].candidate == {"accuracy": 0.81, "error": 0.9}
    line = json.loads((_folder(repository) / history.FILE).read_text())
    assert (line["from"], line["to"]) == (1, 2)


@pytest.mark.parametrize(
    ("worse", "problem"),
    [
        ({"accuracy": 0.77}, "accuracy: worse by 0.0300; at most 0.02 is allowed"),
        ({"error": 1.2}, "error: worse by 0.2000; at most 0.1 is allowed"),
    ],
)
def test_a_worse_candidate_changes_nothing_but_the_history(
    repository: ModelRepository, rollout: Open, candidate: Make, worse: dict[str, float], problem: str
) -> None:
    config = (_folder(repository) / "config.pbtxt").read_bytes()
    assert rollout().promote(candidate(**worse)).after is None
    assert repository.present("double") == [1]
    assert (_folder(repository) / "config.pbtxt").read_bytes() == config
    assert not (_folder(repository) / ".incoming").exists()
    [record] = history.read(_folder(repository))
    assert (record.action, record.after, record.evaluations[0].problems) == ("refuse", None, (problem,))


def test_a_candidate_within_the_margin_passes(rollout: Open, candidate: Make) -> None:
    assert rollout().promote(candidate(accuracy=0.785, error=1.1)).after == 2


def test_limits_hold_on_the_gates_data_only(
    repository: ModelRepository, rollout: Open, candidate: Make, tmp_path: Path
) -> None:
    gate = _folder(repository) / "gate.yaml"
    gate.write_text(gate.read_text().replace("at_least: 0.5", "at_least: 0.9"))
    assert rollout().promote(candidate()).after is None
    gate.write_text(gate.read_text().replace("    data: [toy.txt]\n", ""))
    own = tmp_path / "own.txt"
    own.touch()
    assert rollout().promote(candidate(), [str(own)]).after == 2


def test_a_broken_candidate_is_refused_before_it_is_judged(
    repository: ModelRepository, rollout: Open, candidate: Make, judge: FakeJudge
) -> None:
    files = candidate()
    (files / "model.onnx").write_bytes(b"no model")
    with pytest.raises(FaultError, match="cannot be loaded"):
        rollout().promote(files)
    assert (served(repository), repository.present("double"), judge.asked) == ("1", [1], [])
    assert not (_folder(repository) / ".incoming").exists()


def test_what_cannot_be_used_is_said(
    repository: ModelRepository, rollout: Open, candidate: Make, tmp_path: Path
) -> None:
    with pytest.raises(InvalidRequestError, match="is no folder"):
        rollout().promote(tmp_path / "nothing")
    with pytest.raises(InvalidRequestError, match="is not there to judge on"):
        rollout().promote(candidate(), [str(tmp_path / "nothing")])
    with pytest.raises(ConflictError, match="are version 1 already"):
        rollout().promote(_folder(repository) / "1")
    with pytest.raises(NotFoundError):
        rollout_module.Rollout(repository, "nothing", by="me", judge=FakeJudge())
    (_folder(repository) / "gate.yaml").unlink()
    with pytest.raises(NotFoundError, match=r"gate\.yaml is missing"):
        rollout().promote(candidate())


def test_only_one_rollout_at_a_time(repository: ModelRepository, rollout: Open, candidate: Make) -> None:
    with (_folder(repository) / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ConflictError) as caught:
            rollout().promote(candidate())
    assert caught.value.reason == "ROLLOUT_UNDER_WAY"


def test_back_and_forth(repository: ModelRepository, rollout: Open, candidate: Make) -> None:
    rollout().promote(candidate())
    assert rollout().rollback().after == 1
    assert served(repository) == "1"
    # Back from what replaced it: the next promotion is version 3, and before it was 1, not the 2 that was taken back.
    assert rollout().promote(candidate(accuracy=0.9)).after == 3
    assert rollout().rollback().after == 1
    assert rollout().rollback(to=2).after == 2
    assert repository.present("double") == [1, 2, 3]
    assert [record.action for record in history.read(_folder(repository))] == [
        "promote",
        "rollback",
        "promote",
        "rollback",
        "rollback",
    ]
    assert [(each.version, each.serving, each.state) for each in status(repository, "double")] == [
        (3, False, "as recorded"),
        (2, True, "as recorded"),
        (1, False, "as recorded"),  # it was put into service by a rollback
    ]


def test_nothing_to_go_back_to(rollout: Open) -> None:
    with pytest.raises(NotFoundError, match="no version 0"):
        rollout().rollback()
    with pytest.raises(NotFoundError, match="no version 7"):
        rollout().rollback(to=7)
    with pytest.raises(ConflictError, match="in service already"):
        rollout().rollback(to=1)


def test_a_version_whose_files_changed_is_not_gone_back_to(
    repository: ModelRepository, rollout: Open, candidate: Make
) -> None:
    rollout().promote(candidate())
    rollout().promote(candidate(accuracy=0.9))
    (_folder(repository) / "2" / "reference.json").write_text("a bank's own")
    assert [each.state for each in status(repository, "double")] == ["as recorded", "as recorded", "unrecorded"]
    (_folder(repository) / "2" / "model.onnx.metrics").write_text("1 1")
    assert status(repository, "double")[1].state == "changed since"
    with pytest.raises(ConflictError, match="its files differ"):
        rollout().rollback()
    assert served(repository) == "3"


def test_files_that_services_read_at_their_start_are_told(
    repository: ModelRepository, rollout: Open, candidate: Make
) -> None:
    files = candidate()
    (files / "labels.json").write_text("[2]")
    triton = FakeTriton()
    with pytest.raises(ConflictError, match=r"labels\.json differ"):
        rollout(triton).promote(files)
    assert (served(repository), triton.loaded) == ("1", [])
    assert rollout().promote(files).restart == ["labels.json"]


def test_triton_is_told(repository: ModelRepository, rollout: Open, candidate: Make) -> None:
    triton = FakeTriton()
    rollout(triton).promote(candidate())
    rollout(triton).rollback()
    assert triton.loaded == [2, 1]


def test_where_triton_does_not_follow_the_old_version_is_served_again(
    repository: ModelRepository, rollout: Open, candidate: Make
) -> None:
    with pytest.raises(UnavailableError):
        rollout(FakeTriton(broken=True)).promote(candidate())
    assert served(repository) == "1"
    promoted, failed = history.read(_folder(repository))
    assert (promoted.action, failed.action, failed.problem) == ("promote", "failed", "it does not load")


class CrashError(Exception):
    pass


STEPS = [("stage", 0), ("point", 0), ("append", 0), ("place", 0), ("point", 1)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("step", "which"), STEPS, ids=[f"{step}{which}" for step, which in STEPS])
def test_a_crash_between_any_two_steps_leaves_a_whole_version_served(
    repository: ModelRepository,
    rollout: Open,
    candidate: Make,
    monkeypatch: pytest.MonkeyPatch,
    *,
    step: str,
    which: int,
    after: bool,
) -> None:
    module = history if step == "append" else versions
    original = getattr(module, step)
    calls = []

    def crash(*arguments: object) -> object:
        calls.append(step)
        if len(calls) <= which:
            return original(*arguments)
        if after:
            original(*arguments)
        raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(module, step, crash)
        patch.setattr(versions, "discard", lambda _: None)  # a crash does not clean up
        with pytest.raises(CrashError):
            rollout().promote(candidate())
    is_pointed = step == "point" and which == 1 and after
    assert served(repository) == ("2" if is_pointed else "1")
    if 2 in repository.present("double"):
        assert history.read(_folder(repository))[-1].after == 2, "what lies there must be on record"
    # And the next attempt goes through, over whatever lies around.
    assert rollout().promote(candidate(accuracy=0.95)).after == int(repository.version_dir("double").name)
    assert status(repository, "double")[0].state == "as recorded"


def test_a_version_that_was_copied_there_by_hand_is_not_put_into_service(
    repository: ModelRepository, rollout: Open, candidate: Make
) -> None:
    rollout().promote(candidate())
    shutil.copytree(candidate(accuracy=0.1), _folder(repository) / "3")
    assert served(repository) == "2"
    with pytest.raises(ConflictError) as caught:
        rollout().rollback(to=3)
    assert caught.value.reason == "VERSION_UNJUDGED"


def test_errors_name_a_reason(rollout: Open, candidate: Make) -> None:
    with pytest.raises(BankaiError) as caught:
        rollout().rollback()
    assert caught.value.reason == "VERSION_MISSING"
