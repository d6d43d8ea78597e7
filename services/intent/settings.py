"""Settings of the intent service, read from BANKAI_INTENT_<GROUP>__<NAME>."""

from pydantic import Field, SecretStr

from bankai.settings import (
    Group,
    InferenceSettings,
    OptionalRedisUrl,
    Seconds,
    ServerSettings,
    ServiceSettings,
    environment,
)


class SessionSettings(Group):
    """How calls are kept between their streams.

    Attributes:
        redis_url: redis://, rediss:// or unix:// URL; empty keeps calls in this process only.
        redis_timeout_s: Longest that an utterance waits for Redis; then its call goes on without.
        ttl_s: Seconds that a call is kept after its last final segment, and no longer.
        max_calls: Calls kept in this process at most.
        keep_answers: Latest answers kept per call, to be given again after a broken stream.
        key_prefix: Beginning of every key in Redis.
    """

    redis_url: OptionalRedisUrl = SecretStr("")
    redis_timeout_s: Seconds = 0.05
    ttl_s: Seconds = 300.0
    max_calls: int = Field(default=5000, ge=1)
    keep_answers: int = Field(default=64, ge=1)
    key_prefix: str = "bankai:intent:call:"


class StreamSettings(Group):
    """What one call's stream may do.

    Attributes:
        idle_timeout_s: Seconds without a message from the client after which the stream ends with STREAM_IDLE.
        client_timeout_s: Seconds that one answer may wait for the client to read, before CLIENT_TOO_SLOW.
        final_budget_s: Seconds that a final segment may take, retries of the inference included.
        partial_timeout_s: Seconds after which the answer to a partial segment is left out.
        max_segments: Final segments of one call; further ones are rejected with TOO_MANY_SEGMENTS.
        max_waiting: Final segments of one stream that are read ahead of the one that is being answered.
        reconnect_delay_ms: How long clients are asked to wait before they reconnect to another server.
    """

    idle_timeout_s: Seconds = 120.0
    client_timeout_s: Seconds = 10.0
    final_budget_s: Seconds = 3.0
    partial_timeout_s: Seconds = 0.5
    max_segments: int = Field(default=4000, ge=1)
    max_waiting: int = Field(default=4, ge=1)
    reconnect_delay_ms: int = Field(default=200, ge=0)


class IntentSettings(ServiceSettings):
    """All settings of the intent service."""

    model_config = environment("INTENT")

    server: ServerSettings = ServerSettings(listen="127.0.0.1:50061")
    inference: InferenceSettings = InferenceSettings()
    sessions: SessionSettings = SessionSettings()
    stream: StreamSettings = StreamSettings()
