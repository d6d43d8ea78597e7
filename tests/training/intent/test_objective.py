from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the training extra: make setup-train")

from training.intent import objective
from training.intent.examples import Example
from training.intent.taxonomy import taxonomy

pytestmark = pytest.mark.slow  # importing torch alone takes seconds

CPU = torch.device("cpu")
FULL = Example("卡丢了", "train_a", ("card_loss_report",), "anxious", 0.7)
ELSEWHERE = Example("怎么了", "cped", emotion="confused", no_business=True)
ENGLISH = Example("i lost it", "banking77", ("card_loss_report",))


def answers(rows: int) -> dict[str, Any]:
    return {name: torch.zeros(rows, size, requires_grad=True) for name, size in objective.HEADS.items()}


def test_what_is_unknown_is_not_a_target() -> None:
    target = objective.targets([FULL, ELSEWHERE, ENGLISH], CPU)
    ids = taxonomy().intent_ids
    assert target.labels[0].sum() == 1
    assert target.labels[1][ids.index("card_loss_report")] == 0
    assert target.labels[1][ids.index("chitchat")].isnan()
    assert target.emotion.tolist() == [taxonomy().emotion_ids.index("anxious"), 2, -1]
    assert target.intensity.isnan().tolist() == [False, True, True]


@pytest.mark.parametrize("rows", [[FULL], [ELSEWHERE], [ENGLISH], [FULL, ELSEWHERE, ENGLISH]])
def test_the_loss_is_finite_whatever_is_known(rows: list[Example]) -> None:
    given = answers(len(rows))
    value = objective.loss(given, objective.targets(rows, CPU))
    value.backward()
    assert torch.isfinite(value)
    assert given["intents"].grad is not None


def test_unknown_intents_pull_at_nothing() -> None:
    given = answers(1)
    objective.loss(given, objective.targets([ELSEWHERE], CPU)).backward()
    assert given["out_of_scope"].grad is not None
    assert given["out_of_scope"].grad.abs().sum() == 0


def test_right_answers_cost_less() -> None:
    target = objective.targets([FULL], CPU)
    right = {name: torch.full((1, size), -4.0) for name, size in objective.HEADS.items()}
    right["intents"][0, taxonomy().intent_ids.index("card_loss_report")] = 6.0
    right["emotions"][0, taxonomy().emotion_ids.index("anxious")] = 6.0
    assert objective.loss(right, target) < objective.loss(answers(1), target)
