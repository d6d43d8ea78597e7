"""`bankai gateway`: what running the gateway needs."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def gateway() -> typer.Typer:
    """The commands below `bankai gateway`."""
    group = typer.Typer(no_args_is_help=True, help="What running the gateway needs.")
    group.command(name="new-key")(new_key)
    return group


def new_key(
    channel: Annotated[str, typer.Argument(help='Channel that will use the key, e.g. "ivr" or "core-banking".')],
    keys_file: Annotated[
        Path,
        typer.Option(envvar="BANKAI_GATEWAY_KEYS_FILE", help="The gateway's file of keys; made where there is none."),
    ],
    expires: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="When it stops being accepted, in local time."),
    ] = None,
) -> None:
    """Make an API key for a channel.

    Prints it, once: only its hash goes into the file of keys. A running gateway knows the key after its next start.

    \b
    Examples:
      bankai gateway new-key ivr --keys-file /etc/bankai/keys.yaml
      bankai gateway new-key core-banking --keys-file keys.yaml --expires 2027-12-31
    """
    from bankai.errors import FaultError, InvalidRequestError
    from gateway.authn import api_keys

    try:
        key, record = api_keys.new_key(channel, expires=expires.astimezone() if expires else None)
    except ValueError:
        raise InvalidRequestError(
            "CHANNEL_INVALID",
            f"{channel!r} is no name of a channel: a-z, 0-9, - and _, beginning with a letter or digit",
        ) from None
    try:
        api_keys.add_key(keys_file, record)
    except ValueError as error:
        raise InvalidRequestError("KEYS_FILE_INVALID", str(error)) from None
    except OSError as error:
        raise FaultError("KEYS_FILE_UNWRITABLE", f"{keys_file} cannot be written ({error.strerror})") from None
    sys.stdout.write(f"{key}\n")
    sys.stderr.write(
        f"Key {record.id} of channel {channel} is in {keys_file}. Hand the line above over; it is kept nowhere.\n"
    )
