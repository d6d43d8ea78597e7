"""gate.yaml: what a candidate must reach, and must not lose against the version in service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bankai.errors import InvalidRequestError, NotFoundError
from bankai.validation import first_problem

FILE = "gate.yaml"

Metrics = Mapping[str, float | None]
"""Metrics of an evaluation by name; None where the data do not define one."""

_ROUNDING = 1e-9


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Entry):
    """What one metric must fulfil.

    Attributes:
        margin: How much worse than the version in service the candidate may be.
        better: Which values are better.
        at_least: Value that the candidate must reach on the gate's own data.
        at_most: Value that it must not exceed there.
    """

    margin: float = Field(ge=0, allow_inf_nan=False)
    better: Literal["higher", "lower"] = "higher"
    at_least: float | None = None
    at_most: float | None = None


class Evaluation(_Entry):
    """One evaluation: `bankai eval <command>` on each set of data.

    Attributes:
        command: The command.
        data: Files or folders to judge on, relative to the gate's file; may be left to who promotes.
        metrics: Rules by the name of the metric that they are about.
    """

    command: str = Field(pattern=r"^[a-z-]+$")
    data: tuple[Path, ...] = ()
    metrics: Mapping[str, Rule] = Field(min_length=1)


class Gate(_Entry):
    """What a model's candidates are judged by.

    Attributes:
        service: The service whose evaluations these are, e.g. "intent".
        evaluations: The evaluations; at least one.
    """

    service: str = Field(pattern=r"^[a-z_]+$")
    evaluations: tuple[Evaluation, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Finding:
    """What came of one rule on one set of data.

    Attributes:
        metric: Name of the metric.
        serving: Its value for the version in service.
        candidate: Its value for the candidate.
        problem: Why the candidate must not pass; empty where it may.
    """

    metric: str
    serving: float | None
    candidate: float | None
    problem: str = ""


def read_gate(model_dir: Path) -> Gate:
    """Reads a model's gate.

    Raises:
        NotFoundError: GATE_MISSING.
        InvalidRequestError: GATE_INVALID, saying what is wrong.
    """
    file = model_dir / FILE
    try:
        return Gate.model_validate(yaml.safe_load(file.read_bytes()))
    except FileNotFoundError:
        raise NotFoundError(
            "GATE_MISSING", f"{file} is missing: it says what a candidate is judged by (docs/models.md)"
        ) from None
    except ValidationError as error:
        raise InvalidRequestError("GATE_INVALID", f"{file}: {first_problem(error)}") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidRequestError("GATE_INVALID", f"{file} cannot be read: {error}") from None


def compare(rules: Mapping[str, Rule], serving: Metrics, candidate: Metrics, *, limits: bool) -> Sequence[Finding]:
    """Holds a candidate's metrics on one set of data against those of the version in service.

    Args:
        rules: What each metric must fulfil.
        serving: Metrics of the version in service.
        candidate: Metrics of the candidate.
        limits: Whether `at_least` and `at_most` count: they are about the gate's own data, not about a bank's.

    Returns:
        A finding per rule, in their order.
    """
    return [
        Finding(name, serving.get(name), candidate.get(name), _problem(rule, serving, candidate, name, limits=limits))
        for name, rule in rules.items()
    ]


def _problem(rule: Rule, serving: Metrics, candidate: Metrics, name: str, *, limits: bool) -> str:
    if name not in candidate:
        return "the evaluation has no such metric"
    was, now = serving.get(name), candidate[name]
    if now is None:
        return "" if was is None else "the candidate's answers do not define it"
    loss = 0.0 if was is None else (was - now if rule.better == "higher" else now - was)
    if loss > rule.margin + _ROUNDING:
        return f"worse by {loss:.4f}; at most {rule.margin} is allowed"
    if limits and rule.at_least is not None and now < rule.at_least - _ROUNDING:
        return f"must be at least {rule.at_least}"
    if limits and rule.at_most is not None and now > rule.at_most + _ROUNDING:
        return f"must be at most {rule.at_most}"
    return ""
