"""`bankai models`: what lies in the model repository, and which of it is served."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bankai.cli.rollout import promote, rollback, status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bankai.inference.backend import TensorSpec


def models() -> typer.Typer:
    """The commands below `bankai models`."""
    group = typer.Typer(no_args_is_help=True, help="What lies in the model repository, and which version is served.")
    group.command(name="list")(list_models)
    group.command()(status)
    group.command()(promote)
    group.command()(rollback)
    return group


def list_models(
    models_dir: Annotated[Path | None, typer.Option(help="The model repository; the product's own by default.")] = None,
    triton: Annotated[str | None, typer.Option(help="host:port of a Triton to ask whether it serves them.")] = None,
) -> None:
    """List the models, and whether they are ready to answer.

    Ready means that the embedded backend can load and run the model, or with --triton that Triton serves it.

    \b
    Examples:
      bankai models list
      bankai models list --models-dir /srv/models
      bankai models list --triton 127.0.0.1:8001
    """
    asyncio.run(_list(models_dir, triton))


async def _list(models_dir: Path | None, triton: str | None) -> None:
    from rich.table import Table

    from bankai.cli.report import screen
    from bankai.inference import open_backend
    from bankai.inference.repository import ModelRepository
    from bankai.settings import InferenceSettings

    settings = InferenceSettings()
    repository = ModelRepository(models_dir or settings.models_dir)
    choice = {"backend": "triton", "triton_url": triton} if triton else {"backend": "onnx"}
    settings = InferenceSettings.model_validate({**choice, "models_dir": repository.models_dir})
    table = Table("model", "version", "inputs", "outputs", "size", "backend", "ready")
    for column in table.columns:
        column.overflow = "fold"
    backend = open_backend(settings)
    try:
        for name in repository.names():
            config, folder = repository.config(name), repository.version_dir(name)
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            ready = "yes" if await backend.ready(name) else "no"
            tensors = (_tensors(config.inputs), _tensors(config.outputs))
            table.add_row(name, folder.name, *tensors, f"{size / 1e6:.1f} MB", settings.backend, ready)
    finally:
        await backend.close()
    screen().print(table)


def _tensors(specs: "Iterable[TensorSpec]") -> str:
    return "\n".join(f"{spec.name} {spec.dtype} {list(spec.shape)}{' optional' * spec.optional}" for spec in specs)
