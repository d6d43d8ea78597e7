from pathlib import Path

import pytest

from bankai.errors import FaultError, NotFoundError
from bankai.inference.repository import ModelRepository
from tests.bankai.inference import models


def test_lists_models_and_serves_the_newest_version(repository: Path) -> None:
    opened = ModelRepository(repository)
    assert opened.names() == ["double", "flat", "impatient", "lookup", "narrow", "pinned"]
    assert opened.versions("double") == [1, 3]
    assert opened.version_dir("double") == repository / "double" / "3"
    assert opened.config("double").max_batch_size == 8


def test_the_version_policy_decides(repository: Path) -> None:
    opened = ModelRepository(repository)
    assert opened.versions("pinned") == [1]
    assert opened.version_dir("pinned").name == "1"


def test_versions_are_ordered_as_numbers_and_other_folders_are_ignored(tmp_path: Path) -> None:
    models.double().write(tmp_path, 2, 10)
    for name in ("0", "011", "12a", "-1", "v13", "٣"):  # the last is a digit, but not one of ASCII
        (tmp_path / "double" / name).mkdir()
    (tmp_path / "double" / "14").touch()
    assert ModelRepository(tmp_path).versions("double") == [2, 10]


@pytest.mark.parametrize("name", ["nothing", "", ".", "..", "../models", "double/1", "*"])
def test_what_is_no_model_is_not_found(repository: Path, name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        ModelRepository(repository).version_dir(name)
    assert caught.value.reason == "MODEL_NOT_FOUND"


def test_a_model_without_a_version_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "double").mkdir()
    (tmp_path / "double" / "config.pbtxt").write_text(models.double().config())
    with pytest.raises(FaultError, match="'double' has no version") as caught:
        ModelRepository(tmp_path).version_dir("double")
    assert caught.value.reason == "MODEL_VERSION_MISSING"


def test_a_missing_repository_names_the_setting_and_not_the_path(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match=r"inference\.models_dir") as caught:
        ModelRepository(tmp_path / "nowhere").names()
    assert str(tmp_path) not in caught.value.message


def test_a_configuration_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    models.double().write(tmp_path)
    (tmp_path / "double" / "config.pbtxt").write_bytes(b"\xff\xfe")
    with pytest.raises(FaultError, match="cannot be read"):
        ModelRepository(tmp_path).config("double")
