from pathlib import Path

import pytest

from bankai.bulk import local
from bankai.errors import FaultError
from tests.bankai.bulk.toy import ToyWork


def named(folder: Path, what: str) -> int:
    return len(list(folder.glob(f"{what}-*")))


def test_every_item_is_worked_on_once_by_processes_that_open_once(tmp_path: Path) -> None:
    items = [*(str(number) for number in range(40)), "bad-1"]
    outcomes = list(local.run(ToyWork(tmp_path), items, 2))
    assert sorted(outcome["item"] for outcome in outcomes) == sorted(items)
    assert [outcome["reason"] for outcome in outcomes if outcome["outcome"] == "failed"] == ["BAD"]
    assert named(tmp_path, "opened") == named(tmp_path, "closed") <= 2


def test_nothing_to_do(tmp_path: Path) -> None:
    assert list(local.run(ToyWork(tmp_path), [], 2)) == []


def test_the_items_of_a_process_that_dies_are_worked_on_again(tmp_path: Path) -> None:
    items = ["a", "deadly-1", "b", "c", "deadly-2", "d"]
    outcomes = list(local.run(ToyWork(tmp_path), items, 2))
    assert sorted(outcome["item"] for outcome in outcomes) == sorted(items)


def test_processes_that_die_again_and_again_end_it(tmp_path: Path) -> None:
    with pytest.raises(FaultError) as caught:
        list(local.run(ToyWork(tmp_path), ["fatal"], 1))
    assert caught.value.reason == "WORKERS_DIE"


def test_whoever_stops_listening_stops_the_work(tmp_path: Path) -> None:
    outcomes = local.run(ToyWork(tmp_path), [str(number) for number in range(1000)], 1)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]  # it is a generator
    assert named(tmp_path, "closed") == 1
