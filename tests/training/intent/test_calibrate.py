import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the training extra: make setup-train")

from scipy.special import expit

from training.intent.calibrate import apply, calibrate, holding_threshold
from training.intent.examples import Example
from training.intent.taxonomy import taxonomy

pytestmark = pytest.mark.slow  # importing torch alone takes seconds

ROWS = 400


@pytest.fixture(scope="module")
def overconfident() -> tuple[list[Example], "np.ndarray", "np.ndarray"]:
    """Rows whose true logits were multiplied by three."""
    random = np.random.default_rng(0)
    ids, emotions = taxonomy().intent_ids, taxonomy().emotion_ids
    logits = random.normal(-2.0, 1.5, (ROWS, len(ids)))
    held = random.random(logits.shape) < expit(logits)
    feelings = random.dirichlet(np.ones(len(emotions)), ROWS)
    rows = [
        Example(
            str(n),
            "here",
            tuple(i for i, h in zip(ids, held[n], strict=True) if h),
            random.choice(emotions, p=feelings[n]),
            0.5,
        )
        for n in range(ROWS)
    ]
    sharp = feelings**3
    return rows, expit(3 * logits), sharp / sharp.sum(1, keepdims=True)


def test_overconfidence_is_found(overconfident: tuple[list[Example], "np.ndarray", "np.ndarray"]) -> None:
    rows, intents, emotions = overconfident
    calibration = calibrate(intents, emotions, rows)
    assert calibration.intents.own == pytest.approx(1 / 3, abs=0.1)
    assert calibration.emotions == pytest.approx(1 / 3, abs=0.07)


def test_calibrated_probabilities_match_frequencies(
    overconfident: tuple[list[Example], "np.ndarray", "np.ndarray"],
) -> None:
    rows, intents, emotions = overconfident
    calibrated = apply(calibrate(intents, emotions, rows), intents)
    held = np.array([[intent in (row.intents or ()) for intent in taxonomy().intent_ids] for row in rows])
    sure = calibrated > 0.5
    assert held[sure].mean() == pytest.approx(calibrated[sure].mean(), abs=0.03)


def test_the_threshold_is_a_probability(overconfident: tuple[list[Example], "np.ndarray", "np.ndarray"]) -> None:
    rows, intents, _ = overconfident
    assert 0.2 <= holding_threshold(intents, rows) < 0.8
