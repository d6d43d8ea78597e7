from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.cli.app import build
from bankai.errors import InvalidRequestError, NotFoundError
from bankai.rollout.gate import FILE, Rule, compare, read_gate
from bankai.settings import InferenceSettings

values = st.floats(0, 1)


@pytest.mark.parametrize("name", sorted(file.parent.name for file in InferenceSettings().models_dir.glob(f"*/{FILE}")))
def test_the_shipped_gates_are_right(name: str) -> None:
    folder = InferenceSettings().models_dir / name
    commands = {
        command.name
        for group in build().registered_groups
        if group.name == "eval" and group.typer_instance
        for command in group.typer_instance.registered_commands
    }
    for evaluation in read_gate(folder).evaluations:
        assert all((folder / path).exists() for path in evaluation.data)
        assert evaluation.command in commands


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "valid dictionary"),
        ("a: [", "cannot be read"),
        ("{service: intent, evaluations: []}", "evaluations"),
        ("{service: intent, evaluations: [{command: intent, metrics: {}}]}", "metrics"),
        ("{service: intent, evaluations: [{command: 'rm -rf', metrics: {a: {margin: 0}}}]}", "command"),
        ("{service: intent, evaluations: [{command: intent, metrics: {a: {margin: -1}}}]}", "margin"),
        ("{service: intent, evaluations: [{command: intent, metrics: {a: {}}}]}", "margin"),
        ("{service: intent, evaluations: [{command: intent, metrics: {a: {margin: 0, best: 1}}}]}", "best"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InvalidRequestError, match=problem):
        read_gate(tmp_path)


def test_without_a_gate_nothing_is_promoted(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        read_gate(tmp_path)
    assert caught.value.reason == "GATE_MISSING"


def _problem(rule: Rule, was: float | None, now: float | None, *, limits: bool = True) -> str:
    [finding] = compare({"m": rule}, {"m": was}, {"m": now}, limits=limits)
    return finding.problem


@given(values, values, st.floats(0, 0.5))
def test_better_never_fails_and_worse_beyond_the_margin_always_does(was: float, now: float, margin: float) -> None:
    higher, lower = Rule(margin=margin), Rule(margin=margin, better="lower")
    if now >= was:
        assert not _problem(higher, was, now)
    if now <= was:
        assert not _problem(lower, was, now)
    if was - now > margin + 1e-6:
        assert _problem(higher, was, now)
    if now - was > margin + 1e-6:
        assert _problem(lower, was, now)


def test_what_the_data_do_not_define() -> None:
    rule = Rule(margin=0, at_least=0.5)
    assert not _problem(rule, None, None)
    assert "do not define" in _problem(rule, 0.9, None)
    assert not _problem(rule, None, 0.5)
    assert "at least 0.5" in _problem(rule, None, 0.4)
    [finding] = compare({"m": rule}, {}, {"n": 1}, limits=True)
    assert "no such metric" in finding.problem


def test_limits() -> None:
    assert "at most 0.1" in _problem(Rule(margin=1, better="lower", at_most=0.1), 0.2, 0.2)
    assert not _problem(Rule(margin=1, better="lower", at_most=0.1), 0.2, 0.2, limits=False)
