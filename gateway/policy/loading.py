"""Reads the policy file, and says in which line it is wrong."""

from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from gateway.policy.model import Policy

_MAX_PROBLEMS = 10


def read_policy(file: Path) -> Policy:
    """Reads a policy (YAML; its shape is that of `gateway.policy.model.Policy`).

    Raises:
        ValueError: The file cannot be read or is wrong; a line for each problem, "file:line: place: what is wrong".
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read: {type(error).__name__}") from None
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_duplicates(file, tree)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"{file}:{line}: no YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"{file}: no YAML: {type(error).__name__}") from None
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        problems = [
            f"{file}:{_line(tree, entry['loc'])}: {_place(entry['loc'])}{entry['msg'].removeprefix('Value error, ')}"
            for entry in error.errors(include_url=False, include_input=False)
        ]
        raise ValueError("\n".join(problems[:_MAX_PROBLEMS])) from None


def _place(location: Sequence[int | str]) -> str:
    where = ".".join(str(part) for part in location if part != "[key]")
    return f"{where}: " if where else ""


def _line(node: yaml.Node | None, location: Sequence[int | str]) -> int:
    """Line of what pydantic names by its place, or of the nearest thing around it, from 1."""
    line = node.start_mark.line + 1 if node else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            entry = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if entry is None:
                break
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _refuse_duplicates(file: Path, node: yaml.Node | None) -> None:
    """YAML's reader lets the last one of equal keys win, in silence: in a policy that is a trap."""
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _refuse_duplicates(file, each)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise ValueError(f"{file}:{key.start_mark.line + 1}: {name} is there twice")
            seen.add(name)
            _refuse_duplicates(file, value)
