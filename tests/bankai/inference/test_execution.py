import numpy as np
import pytest

from bankai.inference.backend import Tensor, Tensors
from bankai.inference.execution import run_batch


class Request:
    def __init__(self, *values: float, abandoned: bool = False) -> None:
        self.inputs: Tensors = {"x": np.array(values, np.float32)[:, None]}
        self.rows = len(values)
        self.abandoned = abandoned


class Doubler:
    """y = 2x; fails where a value is negative."""

    def __init__(self) -> None:
        self.seen: list[list[float]] = []

    def __call__(self, inputs: Tensors) -> dict[str, Tensor]:
        self.seen.append(inputs["x"][:, 0].tolist())
        if (inputs["x"] < 0).any():
            raise ValueError("negative")
        return {"y": inputs["x"] * 2}


def test_each_gets_its_own_rows() -> None:
    run = Doubler()
    outcomes = run_batch(run, [Request(1), Request(2, 3), Request(4)])
    assert [outcome["y"][:, 0].tolist() for outcome in outcomes if isinstance(outcome, dict)] == [[2], [4, 6], [8]]
    assert run.seen == [[1, 2, 3, 4]]


def test_a_bad_request_fails_alone_and_one_given_up_does_not_run_again() -> None:
    run = Doubler()
    first, bad, gone, last = run_batch(run, [Request(1), Request(-1), Request(2, abandoned=True), Request(3)])
    assert isinstance(first, dict)
    assert first["y"].tolist() == [[2]]
    assert isinstance(bad, ValueError)
    assert gone is None
    assert isinstance(last, dict)
    assert last["y"].tolist() == [[6]]
    assert run.seen == [[1, -1, 2, 3], [1], [-1], [3]]


@pytest.mark.parametrize("shape", [(), (1,), (3, 1)])
def test_a_model_that_answers_other_rows_than_asked_fails_instead_of_mixing_them_up(shape: tuple[int, ...]) -> None:
    runs = []

    def run(inputs: Tensors) -> dict[str, Tensor]:
        runs.append(inputs)
        if len(runs) > 1:
            raise RuntimeError("stop at the first repetition")
        return {"y": np.zeros(shape)}

    outcomes = run_batch(run, [Request(1), Request(2)])
    assert len(runs) == 3, "both run again, each alone"
    assert all(isinstance(outcome, RuntimeError) for outcome in outcomes)
