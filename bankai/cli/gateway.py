"""`bankai gateway`: what running the gateway needs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.policy.model import Policy

KeysFileOption = Annotated[
    Path,
    typer.Option(envvar="BANKAI_GATEWAY_KEYS_FILE", help="The gateway's file of keys; made where there is none."),
]
PolicyFile = Annotated[Path, typer.Argument(envvar="BANKAI_GATEWAY_POLICY_FILE", help="The policy file.")]
PolicyFileOption = Annotated[Path, typer.Option(envvar="BANKAI_GATEWAY_POLICY_FILE", help="The policy file.")]


def gateway() -> typer.Typer:
    """The commands below `bankai gateway`."""
    group = typer.Typer(no_args_is_help=True, help="What running the gateway needs.")
    group.command(name="new-key")(new_key)
    group.command(name="revoke-key")(revoke_key)
    group.command(name="new-vouching-key")(new_vouching_key)
    group.command(name="new-console-key")(new_console_key)
    group.command(name="check-policy")(check_policy)
    group.command(name="explain")(explain)
    return group


def new_key(
    channel: Annotated[str, typer.Argument(help='Channel that will use the key, e.g. "ivr" or "core-banking".')],
    keys_file: KeysFileOption,
    expires: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="When it stops being accepted, in local time."),
    ] = None,
) -> None:
    """Make an API key for a channel.

    Prints it, once: only its hash goes into the file of keys. A running gateway accepts it a second later; what it may
    call, the policy says.

    \b
    Examples:
      bankai gateway new-key ivr --keys-file /etc/bankai/keys.yaml
      bankai gateway new-key core-banking --keys-file keys.yaml --expires 2027-12-31
    """
    from bankai.errors import InvalidRequestError
    from gateway.authn import api_keys

    try:
        key, record = api_keys.new_key(channel, expires=expires.astimezone() if expires else None)
    except ValueError:
        raise InvalidRequestError(
            "CHANNEL_INVALID",
            f"{channel!r} is no name of a channel: a-z, 0-9, - and _, beginning with a letter or digit",
        ) from None
    with _file_errors(keys_file):
        api_keys.add_key(keys_file, record)
    sys.stdout.write(f"{key}\n")
    sys.stderr.write(
        f"Key {record.id} of channel {channel} is in {keys_file}. Hand the line above over; it is kept nowhere.\n"
    )


def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Id of the key: what stands between its underscores, and in the logs.")],
    keys_file: KeysFileOption,
) -> None:
    """Take an API key back. A running gateway refuses it a second later.

    \b
    Examples:
      bankai gateway revoke-key jjldyjjwswea --keys-file /etc/bankai/keys.yaml
    """
    from bankai.errors import NotFoundError
    from gateway.authn import api_keys

    with _file_errors(keys_file):
        found = api_keys.remove_key(keys_file, key_id)
    if not found:
        raise NotFoundError("API_KEY_UNKNOWN", f"{keys_file} has no key {key_id}")
    sys.stderr.write(f"Key {key_id} is taken back.\n")


def new_vouching_key(
    private: Annotated[Path, typer.Argument(help="File for the private key, which only the gateway may read.")],
    public: Annotated[Path, typer.Argument(help="File of public keys for the services; the new one is added to it.")],
) -> None:
    """Make the key with which the gateway vouches for its calls to the services.

    To change it while all runs: make the new one beside the old (the services' file then holds both), give the services
    their file, then the gateway its key, and a minute later take the old one out of the services' file. None needs a
    restart.

    \b
    Examples:
      bankai gateway new-vouching-key vouching.pem vouching.pub.pem
      then BANKAI_GATEWAY_VOUCHING_KEY=vouching.pem and BANKAI_INTENT_GATEWAY_KEYS=vouching.pub.pem
    """
    from bankai.vouching import new_key_pair

    private_pem, public_pem = new_key_pair()
    with _file_errors(private):
        private.touch(mode=0o600)
        private.write_bytes(private_pem)
    with _file_errors(public), public.open("ab") as out:
        out.write(public_pem)
    sys.stderr.write(f"The gateway's key is in {private}; {public} lets services check what it signs.\n")


def new_console_key(
    file: Annotated[Path, typer.Argument(help="File for the key, which only the gateways may read.")],
) -> None:
    """Make the key that seals the sessions of people who are signed in to the console.

    All gateways behind one name need the same. With another key, everybody has to sign in again.

    \b
    Examples:
      bankai gateway new-console-key console.key
      then BANKAI_GATEWAY_CONSOLE__KEY=console.key and BANKAI_GATEWAY_HTTP__LISTEN=0.0.0.0:8443
    """
    from gateway.console.keys import write_new_key

    with _file_errors(file):
        write_new_key(file)


def check_policy(file: PolicyFile) -> None:
    """Check a policy file before the gateway reads it. Says in which line it is wrong.

    \b
    Examples:
      bankai gateway check-policy policy.yaml
    """
    policy = _policy(file)
    for name, channel in policy.channels.items():
        granted = [f"{grant.service}/{method}" for grant in channel.allow for method in grant.methods]
        known = [*channel.certificates, *(f"client {client}" for client in channel.clients)]
        sys.stdout.write(
            f"{name} ({channel.priority.value}), known by {', '.join([*known, 'its API keys'])}, may call:\n"
        )
        sys.stdout.write("".join(f"  {each}\n" for each in granted or ["nothing"]))
    sys.stdout.write(f"{file} is a good policy; all that it does not allow is denied.\n")


def explain(
    policy_file: PolicyFileOption,
    channel: Annotated[str, typer.Option(help="Channel that calls.")],
    method: Annotated[str, typer.Option(help='Method that it calls, e.g. "bankai.intent.v1.IntentService/Classify".')],
    scope: Annotated[
        list[str] | None, typer.Option(help="Scope of its access token; again for each. Without any: no token.")
    ] = None,
) -> None:
    """Explain what the policy says of a call: allowed or refused, why, and with which limits.

    Exits with 1 where it is refused.

    \b
    Examples:
      bankai gateway explain --policy-file policy.yaml --channel ivr --method bankai.intent.v1.IntentService/Classify
    """
    from gateway.authn.caller import Caller
    from gateway.policy.decision import decide

    caller = Caller(channel, "explained", frozenset(scope) if scope else None)
    decision = decide(_policy(policy_file), caller, method)
    sys.stdout.write(f"{'allowed' if decision.permit else 'refused'}: {decision.explanation} ({decision.reason})\n")
    if decision.permit is None:
        raise typer.Exit(1)
    sys.stdout.write(f"priority: {decision.permit.priority.value}\n")
    for title, limits in (("channel", decision.permit.channel_limits), ("call", decision.permit.call_limits)):
        for name, value in limits.model_dump(exclude_defaults=True).items():
            sys.stdout.write(f"{title} limit {name}: {', '.join(value) if isinstance(value, tuple) else value}\n")


def _policy(file: Path) -> "Policy":
    from bankai.errors import InvalidRequestError
    from gateway.policy.loading import read_policy

    try:
        return read_policy(file)
    except ValueError as error:
        raise InvalidRequestError("POLICY_INVALID", str(error)) from None


@contextmanager
def _file_errors(file: Path) -> Iterator[None]:
    """Turns what is wrong with a file into what the command line shows."""
    from bankai.errors import FaultError, InvalidRequestError

    try:
        yield
    except ValueError as error:
        raise InvalidRequestError("KEYS_FILE_INVALID", str(error)) from None
    except OSError as error:
        raise FaultError("KEYS_FILE_UNWRITABLE", f"{file} cannot be written ({error.strerror})") from None
