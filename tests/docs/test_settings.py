"""The settings: every variable that a page names is read, and every setting says what it means."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from bankai.settings import Group, ProcessSettings
from gateway.settings import GatewaySettings
from services.doc_extract.settings import DocExtractSettings
from services.intent.settings import IntentSettings
from services.progress_monitor.settings import ProgressMonitorSettings
from tests.docs.pages import PAGES, name

PROCESSES = (GatewaySettings, IntentSettings, DocExtractSettings, ProgressMonitorSettings)
# What commands read beside the settings of processes.
COMMANDS = {"BANKAI_ADDRESS", "BANKAI_API_KEY", "BANKAI_PUBLIC_DATA"}


def _below(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that a setting is a group of, also where it may be left out."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each


def _variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for field, info in model.model_fields.items():
        yield prefix + field.upper()
        for below in _below(info.annotation):
            yield from _variables(below, f"{prefix}{field.upper()}__")


def _groups(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for info in model.model_fields.values():
        for below in _below(info.annotation):
            if issubclass(below, Group):
                yield from _groups(below)


VARIABLES = COMMANDS | {
    variable for process in PROCESSES for variable in _variables(process, str(process.model_config["env_prefix"]))
}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_variables_that_a_page_names_are_read(page: Path) -> None:
    for written in re.findall(r"(?:BANKAI_|…_*)[A-Z_…]+", page.read_text(encoding="utf-8")):
        pattern = re.compile(written.replace("…", ".+"))  # "…" stands for what is left out
        assert any(pattern.fullmatch(variable) for variable in VARIABLES), written


@pytest.mark.parametrize("group", sorted({group for process in PROCESSES for group in _groups(process)}, key=str))
def test_every_setting_says_what_it_means(group: type[BaseModel]) -> None:
    inherited = set(ProcessSettings.model_fields)
    told = "".join(cls.__doc__ or "" for cls in group.__mro__)
    for field, info in group.model_fields.items():
        grouped = isinstance(info.annotation, type) and issubclass(info.annotation, Group)
        assert field in inherited or grouped or f"        {field}: " in told, field
