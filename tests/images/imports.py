"""What a process imports, found without running it: imports within functions count, too."""

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from tests.k8s.manifests import ROOT

_OURS = ("bankai", "gateway", "services")


def closure(modules: Iterable[str]) -> tuple[set[Path], set[str]]:
    """Everything that modules import, over however many others.

    Args:
        modules: Where to begin.

    Returns:
        Files of ours, and names of the packages that bring all else, the standard library left out.
    """
    files: set[Path] = set()
    packages: set[str] = set()
    seen: set[str] = set()
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        if module.partition(".")[0] in _OURS:
            if (file := _file(module)) is not None:
                files.add(file)
                todo += [*_imported(file), module.rpartition(".")[0] or module]
        elif module.partition(".")[0] not in sys.stdlib_module_names:
            packages |= _package(module)
    return files, packages


def _file(module: str) -> Path | None:
    path = ROOT / module.replace(".", "/")
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)


@cache
def _imported(file: Path) -> frozenset[str]:
    """Names of modules, and of what is imported out of them, which may be modules."""
    return frozenset(_names(file))


def _names(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{file} imports relatively, which nobody does here"
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _package(module: str) -> set[str]:
    """The package that brings a module; none where the name is something within one, or only a namespace."""
    path = module.replace(".", "/")
    owners = _owners()
    found = owners.get(path) or owners.get(path.rpartition("/")[0]) or owners.get(path.partition("/")[0])
    return {found} if found else set()


@cache
def _owners() -> dict[str, str]:
    """Package by path of a module that it brings."""
    owners: dict[str, str] = {}
    for package in distributions():
        name = package.name
        for line in (package.read_text("RECORD") or "").splitlines():
            path = line.partition(",")[0]
            if path.endswith((".py", ".so")):
                owners[path.removesuffix("/__init__.py").partition(".")[0]] = name
    owners.pop("", None)  # scripts, which lie elsewhere
    return owners
