"""Chooses a calibration on held-out utterances, and the probability from which an intent counts as expressed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, logit, softmax

from training.intent.examples import Example
from training.intent.serving import SMALLEST, Calibration, Scaling
from training.intent.taxonomy import taxonomy

Floats = NDArray[np.float64]


def truths(rows: Sequence[Example]) -> tuple[Floats, NDArray[np.int64]]:
    """Which intents hold [rows, 49] and the emotion's class [rows]; every row must be labelled fully."""
    intents, emotions = taxonomy().intent_ids, taxonomy().emotion_ids
    held = np.array([[float(intent in (row.intents or ())) for intent in intents] for row in rows])
    return held, np.array([emotions.index(row.emotion or "") for row in rows])


def calibrate(intent_probs: Floats, emotion_probs: Floats, rows: Sequence[Example]) -> Calibration:
    """Fits the calibration by maximum likelihood.

    Args:
        intent_probs: [rows, 49] of the served model without calibration, out_of_scope last.
        emotion_probs: [rows, 6] likewise.
        rows: The utterances' labels.
    """
    held, felt = truths(rows)
    logits = _logits(intent_probs)

    def surprise(at: Floats) -> float:
        scaled = _scaled(logits, _calibration(at))
        return float((np.logaddexp(0, scaled) - held * scaled).sum(1).mean())

    best = minimize(surprise, START, method="Nelder-Mead", bounds=BOUNDS, options={"maxfev": 5000}).x
    log_probs = np.log(np.clip(emotion_probs.astype(np.float64), 1e-9, 1.0))
    chosen = np.arange(len(rows)), felt
    sharp = minimize(lambda at: -log_softmax(log_probs * at[0], axis=1)[chosen].mean(), [1.0], method="Nelder-Mead").x
    return replace(_calibration(best), emotions=float(sharp[0]))


START = np.array([0.5, 0.5, 0.0, 0.5, 0.5, 0.0, 1.0])
BOUNDS = [(0, 5), (0, 5), (-10, 10), (0, 5), (0, 5), (-10, 10), (0.2, 5)]
"""Of the two scalings and the sharpness: more evidence never counts against a label."""


def _calibration(at: Floats) -> Calibration:
    return Calibration(Scaling(*map(float, at[:3])), Scaling(*map(float, at[3:6])), float(at[6]))


def _logits(probabilities: Floats) -> Floats:
    logits: Floats = logit(np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7))
    return logits


def _scaled(logits: Floats, calibration: Calibration) -> Floats:
    """What `serving.Probabilities` takes the sigmoid of, [rows, 49]."""
    share = np.clip(softmax(logits * calibration.sharpness, axis=1), SMALLEST, 1 - SMALLEST)
    lead = np.log(share) - np.log1p(-share)
    parts = (slice(None, -1), calibration.intents), (slice(-1, None), calibration.scope)
    return np.concatenate([logits[:, at] * by.own + lead[:, at] * by.lead + by.shift for at, by in parts], axis=1)


def apply(calibration: Calibration, intent_probs: Floats) -> Floats:
    """Calibrated intent probabilities from uncalibrated ones, both [rows, 49]."""
    calibrated: Floats = expit(_scaled(_logits(intent_probs), calibration))
    return calibrated


def holding_threshold(probabilities: Floats, rows: Sequence[Example]) -> float:
    """The probability from which an intent holds: the best micro-averaged F1, the best intent always holding."""
    held, _ = truths(rows)
    best = probabilities.argmax(1)

    def micro_f1(threshold: float) -> float:
        said = probabilities >= threshold
        said[np.arange(len(rows)), best] = True
        return float(2 * (said * held).sum() / (said.sum() + held.sum()))

    return float(max((round(at, 2) for at in np.arange(0.2, 0.8, 0.02)), key=micro_f1))
