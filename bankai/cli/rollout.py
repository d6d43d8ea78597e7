"""`bankai models promote`, `rollback` and `status`: which version of a model is served."""

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bankai.inference.repository import ModelRepository
    from bankai.rollout.history import Judged
    from bankai.rollout.rollout import Judgement, Outcome, Rollout

NameArgument = Annotated[str, typer.Argument(help="Name of the model; `bankai models list` shows them.")]
ModelsOption = Annotated[Path | None, typer.Option(help="The model repository; the product's own by default.")]
TritonOption = Annotated[
    str | None, typer.Option(help="host:port of a Triton that serves the repository and is to go over, too.")
]
ByOption = Annotated[str | None, typer.Option(help="Who does it, for the history; your user name by default.")]

_SHORT = 12


def promote(
    name: NameArgument,
    candidate: Annotated[Path, typer.Argument(help="Folder with the files of a version: model.onnx, labels.json, ...")],
    *,
    data: Annotated[
        list[str] | None,
        typer.Option(help="Your own labelled data to judge on, too; COMMAND=PATH for another evaluation of the gate."),
    ] = None,
    models_dir: ModelsOption = None,
    triton: TritonOption = None,
    by: ByOption = None,
) -> None:
    """Judge a candidate and put it into service.

    The candidate and the version in service are both judged by the evaluations of the model's gate.yaml, on its data
    and on yours. If the candidate passes, it becomes the next version, and running services go over to it within
    seconds; otherwise nothing changes. Exit code 1 says that it did not pass.

    \b
    Examples:
      bankai models promote intent build/intent/1 --data our-utterances.jsonl
      bankai models promote intent build/intent/1 --data our-utterances.jsonl --data calls=our-calls.jsonl
      bankai models promote intent build/intent/1 --models-dir /srv/models --triton 127.0.0.1:8001 --by "A. Chen"
    """
    outcome = _rollout(name, models_dir, triton, by).promote(candidate, data or ())
    _show(outcome.judgements)
    if outcome.after is None:
        sys.stderr.write(f"bankai: the candidate does not pass; version {outcome.before} stays in service\n")
        raise typer.Exit(1)
    _tell(name, outcome)


def rollback(
    name: NameArgument,
    to: Annotated[int | None, typer.Option(min=1, help="The version; by default the one that was replaced.")] = None,
    models_dir: ModelsOption = None,
    triton: TritonOption = None,
    by: ByOption = None,
) -> None:
    """Put an earlier version back into service.

    Running services go over to it within seconds. No version is deleted.

    \b
    Examples:
      bankai models rollback intent
      bankai models rollback intent --to 3 --models-dir /srv/models --triton 127.0.0.1:8001
    """
    _tell(name, _rollout(name, models_dir, triton, by).rollback(to))


def status(
    name: Annotated[str | None, typer.Argument(help="Name of a model; all by default.")] = None,
    models_dir: ModelsOption = None,
) -> None:
    """Show the versions of models: which is served, its digest, who promoted it and how it was judged.

    \b
    Examples:
      bankai models status
      bankai models status intent --models-dir /srv/models
    """
    from rich.table import Table

    from bankai.cli.report import screen
    from bankai.rollout.rollout import status as status_of

    repository = _repository(models_dir)
    table = Table("model", "version", "served", "sha256", "files", "promoted", "by", "judged by")
    for column in table.columns:
        column.overflow = "fold"
    for model in [name] if name else repository.names():
        for each in status_of(repository, model):
            promoted = each.promoted
            table.add_row(
                model,
                str(each.version),
                "yes" if each.serving else "",
                each.digest[:_SHORT],
                each.state,
                f"{promoted.at:%Y-%m-%d %H:%M}Z" if promoted else "",
                promoted.by if promoted else "",
                "\n".join(map(_judged, promoted.evaluations)) if promoted else "",
            )
    screen().print(table)


def _repository(models_dir: Path | None) -> "ModelRepository":
    from bankai.inference.repository import ModelRepository
    from bankai.settings import InferenceSettings

    return ModelRepository(models_dir or InferenceSettings().models_dir)


def _rollout(name: str, models_dir: Path | None, triton: str | None, by: str | None) -> "Rollout":
    from bankai.rollout.judging import evaluate
    from bankai.rollout.rollout import Rollout
    from bankai.rollout.triton_control import TritonControl

    control = TritonControl(triton) if triton else None
    return Rollout(_repository(models_dir), name, by=by or _user(), judge=evaluate, control=control)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"uid {os.getuid()}"


def _show(judgements: "Sequence[Judgement]") -> None:
    from rich.table import Table

    from bankai.cli.report import screen

    table = Table("evaluation", "data", "metric", "in service", "candidate", "")
    for judgement in judgements:
        for finding in judgement.findings:
            values = map(_number, (finding.serving, finding.candidate))
            verdict = finding.problem or "passes"
            table.add_row(judgement.command, judgement.data.name, finding.metric, *values, verdict)
    screen().print(table)


def _judged(judged: "Judged") -> str:
    return f"{judged.command} {judged.data}: " + ", ".join(
        f"{metric} {_number(value)}" for metric, value in judged.candidate.items()
    )


def _number(value: float | None) -> str:
    from bankai.cli.report import DIGITS

    return "-" if value is None else f"{value:.{DIGITS}f}"


def _tell(name: str, outcome: "Outcome") -> None:
    sys.stdout.write(f"{name}: version {outcome.before} -> {outcome.after}\n")
    if outcome.restart:
        files = ", ".join(outcome.restart)
        sys.stderr.write(
            f"Services that run keep version {outcome.before} until they are started anew: they have read its {files},"
            " which differ.\n"
        )
