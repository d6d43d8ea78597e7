"""`bankai data`: what operations erase of what the processes keep."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from bankai.keeping import ErasureOrder, Keeper

Answer = TypeVar("Answer")


OnlyOption = Annotated[
    list[str] | None,
    typer.Option(help="Only this process's stores: gateway, intent, doc_extract or progress_monitor; may be repeated."),
]


def data() -> typer.Typer:
    """The commands below `bankai data`."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Erase what is due, and all that is one customer's, in the stores that the processes' own settings in the "
        "environment name.",
    )
    group.command(name="sweep")(sweep)
    group.command(name="erase")(erase)
    return group


def sweep(only: OnlyOption = None) -> None:
    """Erase what is older than the settings allow, now. The processes do the same by themselves while they run.

    \b
    Examples:
      bankai data sweep
    """
    swept = asyncio.run(_each(_names(only), lambda keeper: keeper.sweep()))
    for name, counts in swept.items():
        sys.stderr.write(f"{name}: erased {_told(counts)}\n")
    sys.stdout.write(json.dumps(swept) + "\n")


def erase(
    order: Annotated[Path, typer.Argument(help="YAML file that says what is the customer's; see below.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Erase it. Without, it is only counted.")] = False,
    receipt: Annotated[Path | None, typer.Option(help="File to write the receipt to.")] = None,
) -> None:
    """Erase what is one customer's: documents, results, reviews, projects, pictures, calls and kept answers.

    Only counts, without --yes. The receipt says what was erased and holds nothing of the customer's; its hash is
    recorded in the audit log of BANKAI_GATEWAY_AUDIT__FOLDER, where that is set. An interrupted erasure is run again.
    Backups are not touched: keep the order until those have gone that were made before it, and run it again after a
    restore.

    \b
    order.yaml:
      reference: DSR-2026-0117                           # the bank's own name of the order
      documents: {core-banking: [loan-4711, loan-4712]}  # request ids by channel
      projects: [hangar-7]
      calls: {ivr: [call-81723]}                         # the same
      texts: ["13912345678"]                             # whatever holds one of these goes, too
    \b
    Examples:
      bankai data erase order.yaml
      bankai data erase order.yaml --yes --receipt receipt.json
    """
    from bankai.keeping import MODULES
    from bankai.logging import configure
    from bankai.settings import LogSettings
    from gateway.audit.erasures import recording
    from gateway.keeping import store_settings

    wanted = read_order(order)
    if not yes:
        found = asyncio.run(_each(tuple(MODULES), lambda keeper: keeper.find(wanted)))
        told = {name: dict(erased.counts) for name, erased in found.items()}
        for name, counts in told.items():
            sys.stderr.write(f"{name}: {_told(counts)}\n")
        sys.stderr.write("Nothing was erased. Give --yes to erase it.\n")
        sys.stdout.write(json.dumps(told) + "\n")
        return
    configure(LogSettings(), "data")
    audit = store_settings().audit
    if audit is None:
        sys.stderr.write("No audit log is set: nothing but the receipt will tell of it.\n")
    with recording(audit) as record:
        erased = asyncio.run(_erase(tuple(MODULES), wanted))
        text = _receipt(order, wanted, erased)
        if receipt is not None:
            receipt.write_text(text, encoding="utf-8")
        record(sha256(order.read_bytes()).hexdigest(), sha256(text.encode()).hexdigest(), erased)
    sys.stdout.write(text)


def read_order(file: Path) -> "ErasureOrder":
    """Reads an order.

    Raises:
        InvalidRequestError: It cannot be read, or something in it is wrong.
    """
    import yaml
    from pydantic import ValidationError

    from bankai.errors import InvalidRequestError
    from bankai.keeping import ErasureOrder
    from bankai.validation import first_problem

    try:
        return ErasureOrder.model_validate(yaml.safe_load(file.read_bytes()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidRequestError("ORDER_INVALID", f"{file} cannot be read as YAML: {type(error).__name__}") from None
    except ValidationError as error:
        raise InvalidRequestError("ORDER_INVALID", f"{file}: {first_problem(error)}") from None


async def _erase(names: Sequence[str], order: "ErasureOrder") -> dict[str, Mapping[str, int]]:
    """Erases from one store after the other: the last one needs to know what the others call what they erased."""
    from bankai.keeping import open_keeper

    told: dict[str, Mapping[str, int]] = {}
    ids: frozenset[str] = frozenset()
    for name in names:
        async with open_keeper(name) as keeper:
            erased = await keeper.erase(order, ids)
        ids |= erased.ids
        told[name] = erased.counts
    return told


async def _each(names: Sequence[str], ask: "Callable[[Keeper], Awaitable[Answer]]") -> dict[str, Answer]:
    """What each keeper answers."""
    from bankai.keeping import open_keeper

    answers = {}
    for name in names:
        async with open_keeper(name) as keeper:
            answers[name] = await ask(keeper)
    return answers


def _names(only: list[str] | None) -> Sequence[str]:
    from bankai.errors import InvalidRequestError
    from bankai.keeping import MODULES

    if unknown := sorted(set(only or ()) - MODULES.keys()):
        raise InvalidRequestError("PROCESS_UNKNOWN", f"{unknown[0]} is none of {', '.join(MODULES)}")
    return tuple(name for name in MODULES if not only or name in only)


def _receipt(file: Path, order: "ErasureOrder", erased: Mapping[str, Mapping[str, int]]) -> str:
    content = {
        "reference": order.reference,
        "order_sha256": sha256(file.read_bytes()).hexdigest(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "erased": erased,
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in counts.items())
