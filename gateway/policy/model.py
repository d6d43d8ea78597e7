"""The policy: which channel may call what, and how much. What it does not allow is denied."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bankai.settings import Group, Seconds
from gateway.authn.caller import ChannelName

ServiceName = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")]
"""Full name of a gRPC service, e.g. "bankai.intent.v1.IntentService"."""
MethodName = Annotated[str, Field(pattern=r"^(\*|[A-Za-z_]\w*)$")]
"""Name of an rpc within its service; `ALL` for every one."""
ALL = "*"
"""Stands for everything of its kind."""
Count = Annotated[int, Field(gt=0)]


class Priority(StrEnum):
    """Who goes first where there is not enough for all, the first one first."""

    LIVE = "live"
    INTERACTIVE = "interactive"
    BATCH = "batch"


class ChannelLimits(Group):
    """How much a channel may call, all of its methods together. None means no limit.

    Attributes:
        calls_per_s: Calls a second that it may make on and on.
        burst: Calls that it may make at once after a pause; those of one second where None.
        calls_at_once: Calls in flight, streams not counted.
        streams_at_once: Streams that are open.
        calls_per_day: Calls in a day of UTC, streams included.
    """

    calls_per_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    burst: Count | None = None
    calls_at_once: Count | None = None
    streams_at_once: Count | None = None
    calls_per_day: Count | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.burst is not None and self.calls_per_s is None:
            raise ValueError("burst needs calls_per_s")
        return self


class CallLimits(Group):
    """How large one call may be, and what it may be about. None means no limit but the server's.

    Attributes:
        max_message_bytes: Largest message that the channel may send, in bytes.
        max_stream_messages: Messages that it may send on one stream.
        max_stream_s: Longest stream, in seconds.
        languages: Languages that it may send; the service checks them.
        document_kinds: Kinds of document whose fields it may read; the service checks them.
        reads: Channels whose results it may read and change beside its own, "*" for all; the service checks them.
    """

    max_message_bytes: Count | None = None
    max_stream_messages: Count | None = None
    max_stream_s: Seconds | None = None
    languages: tuple[str, ...] | None = None
    document_kinds: tuple[str, ...] | None = None
    reads: tuple[ChannelName | Literal["*"], ...] = ()


class Grant(Group):
    """Methods of one service that a channel may call.

    Attributes:
        service: Full name of the service.
        methods: Names of its rpcs.
        scopes: What an access token must allow, each of them; other credentials have no scopes and need none.
        limits: Limits of one call.
    """

    service: ServiceName
    methods: Annotated[tuple[MethodName, ...], Field(min_length=1)]
    scopes: tuple[str, ...] = ()
    limits: CallLimits = CallLimits()


class ChannelPolicy(Group):
    """What one channel may do.

    Attributes:
        priority: Who goes first where there is not enough for all.
        limits: Limits of all its calls together.
        certificates: Client certificates that stand for the channel: a URI of their subject alternative names, e.g.
            "spiffe://bank.example/ivr", or a whole subject as RFC 4514 writes it, e.g. "CN=ivr,O=Bank".
        clients: Clients of the identity provider whose access tokens stand for the channel.
        allow: What it may call; nothing else.
    """

    priority: Priority = Priority.INTERACTIVE
    limits: ChannelLimits = ChannelLimits()
    certificates: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    allow: tuple[Grant, ...] = ()

    @model_validator(mode="after")
    def _unambiguous(self) -> Self:
        granted = [(grant.service, method) for grant in self.allow for method in grant.methods]
        for service, method in granted:
            if granted.count((service, method)) > 1:
                raise ValueError(f"{service}/{method} is allowed twice")
        return self


class Policy(Group):
    """What every channel may do.

    Attributes:
        channels: Policy by name of the channel.
    """

    channels: Mapping[ChannelName, ChannelPolicy]

    @model_validator(mode="after")
    def _one_channel_each(self) -> Self:
        """A credential stands for one channel."""
        for kind in ("certificates", "clients"):
            owners: dict[str, str] = {}
            for name, channel in self.channels.items():
                for credential in getattr(channel, kind):
                    if owners.setdefault(credential, name) != name:
                        raise ValueError(f"{credential} stands for {owners[credential]} and for {name}")
        return self
