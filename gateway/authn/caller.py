"""Who is calling."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

ChannelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""Name of a channel of the bank, e.g. "ivr" or "core-banking"."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One of the bank's channels, as its credential proves.

    Attributes:
        channel: Its name.
        credential: What it has shown, without any secret: "key jjldyjjwswea",
            "certificate spiffe://bank.example/ivr" or "token ivr-platform".
        scopes: What an access token allows; None where the credential is no token, which limits nothing.
    """

    channel: str
    credential: str
    scopes: frozenset[str] | None = None


_caller: ContextVar[Caller] = ContextVar("caller")


def current_caller() -> Caller:
    """The caller of the current call.

    Raises:
        LookupError: Nobody was let in.
    """
    return _caller.get()


def enter(caller: Caller) -> None:
    """Makes it the caller of the current call, for the rest of the call's task."""
    _caller.set(caller)
