"""`bankai schemas`: which fields are looked for, and the bank's own."""

from pathlib import Path
from typing import Annotated

import typer

from bankai.cli.connection import DEFAULT_ADDRESS, AddressOption, ApiKeyFileOption, ApiKeyOption, CaOption


def schemas() -> typer.Typer:
    """The commands below `bankai schemas`."""
    group = typer.Typer(no_args_is_help=True, help="Which fields are looked for, and how to add the bank's own.")
    group.command(name="list")(list_schemas)
    group.command(name="put")(put_schema)
    return group


def list_schemas(
    schema: Annotated[str, typer.Argument(help="Id of one schema; all without it.")] = "",
    *,
    all_versions: Annotated[bool, typer.Option("--all-versions", help="Old versions, too.")] = False,
    address: AddressOption = DEFAULT_ADDRESS,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """List schemas with their fields and the labels that they are found by.

    \b
    Examples:
      bankai schemas list
      bankai schemas list acme_credit --all-versions
    """
    import asyncio

    from bankai.cli.connection import connection
    from services.doc_extract.cli.schema_files import show

    asyncio.run(show(connection(address, api_key, api_key_file, ca), schema, all_versions=all_versions))


def put_schema(
    file: Annotated[Path, typer.Argument(help="YAML file with the schema; see the example.")],
    *,
    address: AddressOption = DEFAULT_ADDRESS,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Store a schema of the bank's own: the built-in fields and those of the file.

    The kinds of fields are amount, rate, penalty_rate, term, date, identity, account, repayment_method, opinion, party
    and text. A change makes a new version; old results keep theirs.

    \b
    Example:
      bankai schemas put acme.yaml
    \b
    acme.yaml:
      id: acme_credit
      fields:
        - {id: branch_manager, zh: 客户经理, en: Account manager, kind: party, aliases: [客户经理, 经办客户经理]}
    """
    import asyncio

    from bankai.cli.connection import connection
    from services.doc_extract.cli.schema_files import put

    asyncio.run(put(connection(address, api_key, api_key_file, ca), file))
