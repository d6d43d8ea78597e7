"""The route table: where the calls of each service go, and what is promised on the way."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, model_validator

from bankai.settings import Group, Seconds
from gateway.authn.caller import ChannelName
from gateway.policy.model import Count, MethodName, ServiceName

STABLE = "stable"
"""The release that serves whoever is sent nowhere else; every route has it."""
EVERY_METHOD = "*"

_TARGET = re.compile(r"unix:\S+|(dns:///|dns://[^/\s]+/|ipv[46]:)?[^/\s]+:\d{1,5}")


def _target(value: str) -> str:
    if not _TARGET.fullmatch(value):
        raise ValueError(
            "must be a gRPC target with a port, e.g. dns:///intent:50061 or ipv4:10.0.0.1:50061,10.0.0.2:50061"
        )
    return value


Target = Annotated[str, AfterValidator(_target)]
ReleaseName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Percent = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(gt=0, le=1)]


class MethodRules(Group):
    """What holds for the calls of one method.

    Attributes:
        deadline_s: Deadline of a unary call that came without one; the server's default where None.
        max_deadline_s: Latest deadline, whatever the client asks for; 60 s for unary calls where None, and none for
            streams.
        hedge_after_s: Seconds without an answer after which a second attempt is made; only for unary methods whose
            descriptor says NO_SIDE_EFFECTS, and never where None.
    """

    deadline_s: Seconds | None = None
    max_deadline_s: Seconds | None = None
    hedge_after_s: Seconds | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.deadline_s is not None and self.max_deadline_s is not None and self.deadline_s > self.max_deadline_s:
            raise ValueError("deadline_s must not be longer than max_deadline_s")
        return self


class CanaryRules(Group):
    """A share of the calls goes to a release that is on trial, until it breaks its budget.

    Attributes:
        release: That release.
        percent: Share of the calls, in percent.
        channels: The same for single channels; the others keep `percent`.
        min_calls: Calls of the canary within the window before it is judged.
        max_error_share: Share of its calls that may fail; refusals of wrong requests are no failures.
        max_p95_ratio: How many times the stable release's 95th percentile its own may be.
        window_s: How far back calls are looked at, in seconds.
    """

    release: ReleaseName
    percent: Percent = 0.0
    channels: Mapping[ChannelName, Percent] = Field(default_factory=dict)
    min_calls: Count = 100
    max_error_share: Share = 0.05
    max_p95_ratio: Annotated[float, Field(gt=1, allow_inf_nan=False)] = 2.0
    window_s: Seconds = 60.0


class ShadowRules(Group):
    """A share of the unary calls without side effects is copied to a release whose answers nobody sees.

    Attributes:
        release: That release.
        percent: Share of the calls, in percent.
        max_calls: Copies in flight; beyond them none are made.
    """

    release: ReleaseName
    percent: Percent
    max_calls: Count = 10


class BreakerRules(Group):
    """When calls to a backend that fails are given up for a while.

    Attributes:
        failure_share: Share of the calls within the window that must fail.
        min_calls: Calls within the window, lest a few decide.
        window_s: Length of the window, in seconds.
        open_s: Seconds until the first probe; doubled up to a minute while probes fail.
    """

    failure_share: Share = 0.5
    min_calls: Count = 20
    window_s: Seconds = 10.0
    open_s: Seconds = 2.0


class ConcurrencyRules(Group):
    """How many calls a backend may have in flight.

    Attributes:
        min_calls: Unary calls that it may always have.
        max_calls: Unary calls that it may have at most.
        latency_s: Mean time to an answer up to which no backend counts as slow; above it, one whose answers take
            twice as long as they do at best is given fewer calls.
        max_streams: Open streams.
    """

    min_calls: Count = 50
    max_calls: Count = 1000
    latency_s: Seconds = 0.25
    max_streams: Count = 2000

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_calls > self.max_calls:
            raise ValueError("min_calls must not be more than max_calls")
        return self


class Route(Group):
    """Where the calls of one service go. A plain target stands for a route whose stable release it is.

    Attributes:
        releases: gRPC target by release; calls are spread over all addresses that a target stands for.
        methods: Rules by name of the rpc; those of "*" hold where a method's own say nothing.
        canary: A release on trial.
        shadow: A release that is tried out unseen.
        pinned: Release by channel, for channels that always get the same one.
        breaker: When calls to a release that fails are given up.
        concurrency: How many calls a release may have in flight.
    """

    releases: Mapping[ReleaseName, Target]
    methods: Mapping[MethodName, MethodRules] = Field(default_factory=dict)
    canary: CanaryRules | None = None
    shadow: ShadowRules | None = None
    pinned: Mapping[ChannelName, ReleaseName] = Field(default_factory=dict)
    breaker: BreakerRules = BreakerRules()
    concurrency: ConcurrencyRules = ConcurrencyRules()

    @model_validator(mode="after")
    def _known_releases(self) -> Self:
        if STABLE not in self.releases:
            raise ValueError(f"releases must name the release {STABLE}")
        named = {f"pinned.{channel}": release for channel, release in self.pinned.items()}
        named |= {"canary": self.canary.release} if self.canary else {}
        named |= {"shadow": self.shadow.release} if self.shadow else {}
        for where, release in named.items():
            if release not in self.releases:
                raise ValueError(f"{where}: releases has no {release}")
        if self.canary is not None and self.canary.release == STABLE:
            raise ValueError(f"canary: {STABLE} is no release on trial")
        return self

    @model_validator(mode="after")
    def _ordered_deadlines(self) -> Self:
        for method in self.methods:
            self.rules(method)
        return self

    def rules(self, method: str) -> MethodRules:
        """The rules of a method, those of "*" filled in.

        Args:
            method: Name of the rpc.
        """
        every, own = self.methods.get(EVERY_METHOD), self.methods.get(method)
        if every is None or own is None:
            return own or every or MethodRules()
        return MethodRules.model_validate(every.model_dump() | own.model_dump(exclude_unset=True))


def _from_target(value: Any) -> Any:
    return {"releases": {STABLE: value}} if isinstance(value, str) else value


Routes = dict[ServiceName, Annotated[Route, BeforeValidator(_from_target)]]
"""Route by full name of the service."""

ROUTES: TypeAdapter[Routes] = TypeAdapter(Routes)
"""Reads a route table from plain data."""
