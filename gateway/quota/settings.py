"""Settings of how the limits of channels are kept."""

from typing import Annotated

from pydantic import Field, SecretStr

from bankai.settings import Group, OptionalRedisUrl, Seconds


class QuotaSettings(Group):
    """How the limits of channels are kept. The limits themselves are in the policy.

    Attributes:
        redis_url: redis://, rediss:// or unix:// URL of what all gateways share; empty keeps counts in this process.
        redis_timeout_s: Longest that a call waits for Redis, connecting included; then this gateway decides alone.
        local_share: Share of a channel's limits that this gateway allows when it decides alone: 1 / number of gateways.
        lease_s: Calls taken from Redis at a time, as seconds of the channel's rate; one at least.
        key_prefix: Beginning of every key in Redis.
    """

    redis_url: OptionalRedisUrl = SecretStr("")
    redis_timeout_s: Seconds = 0.05
    local_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    lease_s: Seconds = 0.05
    key_prefix: str = "bankai:gateway:quota:"
