"""Keeps calls in Redis, so that a call is taken up by whichever process its next stream reaches.

Three keys per call, in one hash slot: its state as JSON without the answers, the latest answers as a list (so that
saving a long call sends only the newest), and the stream that carries it. What a process saves it remembers, too:
while Redis does not answer, calls go on and can be taken up in the same process.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError
from redis.exceptions import RedisError

from bankai.errors import UnavailableError
from bankai.redis_client import open_redis
from services.intent.answers import SegmentAnswer
from services.intent.live import busy
from services.intent.session import Session
from services.intent.sessions import MemorySessionStore
from services.intent.settings import SessionSettings

log = structlog.get_logger(__name__)

PAUSE_S = 1.0
"""How long Redis is left alone after a failure, so that a hanging one does not slow every utterance down."""

_SESSION = TypeAdapter(Session)
_ANSWER = TypeAdapter(SegmentAnswer)
Answer = TypeVar("Answer")

# KEYS: state, answers, owner. ARGV: owner, state, ttl ms, lease ms, whether it is a new call, answers kept, answer...
_SAVE = """
local owner = redis.call('GET', KEYS[3])
if owner and owner ~= ARGV[1] then return 0 end
if ARGV[5] == '1' then redis.call('DEL', KEYS[2]) end
for i = 7, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[i]) end
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[6]), -1)
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[4])
return 1
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1"


class RedisSessionStore:
    """Keeps calls in Redis; see the module.

    Args:
        settings: Where Redis is, and how calls are kept.
        lease_s: Seconds after which a process that died no longer holds its calls; longer than a stream may be idle.
    """

    def __init__(self, settings: SessionSettings, *, lease_s: float) -> None:
        self._redis = open_redis(settings.redis_url.get_secret_value(), settings.redis_timeout_s)
        self._save: Any = self._redis.register_script(_SAVE)
        self._release: Any = self._redis.register_script(_RELEASE)
        self._local = MemorySessionStore(settings.ttl_s, settings.max_calls)
        self._ttl_ms = round(settings.ttl_s * 1000)
        self._lease_ms = round(lease_s * 1000)
        self._keep_answers = settings.keep_answers
        self._prefix = settings.key_prefix
        self._unsaved: dict[str, list[SegmentAnswer]] = {}
        self._to_replace: set[str] = set()  # calls whose answers in Redis are not theirs or not complete
        self._retry_at = 0.0

    async def claim(self, call_id: str, owner: str, *, take_over: bool) -> bool:
        """See `SessionStore`. While Redis does not answer, only this process's streams exclude each other."""
        key = self._key(call_id, "owner")
        return bool(await self._ask(lambda: self._redis.set(key, owner, px=self._lease_ms, nx=not take_over), 1))

    async def release(self, call_id: str, owner: str) -> None:
        """See `SessionStore`."""
        self._unsaved.pop(call_id, None)
        self._to_replace.discard(call_id)
        await self._ask(lambda: self._release(keys=[self._key(call_id, "owner")], args=[owner]), 1)

    async def load(self, call_id: str) -> Session | None:
        """See `SessionStore`."""
        local = await self._local.load(call_id)
        failed = object()
        keys = (self._key(call_id, "state"), self._key(call_id, "answers"))
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.get(keys[0])
        pipeline.lrange(keys[1], 0, -1)
        found: Any = await self._ask(pipeline.execute, failed)
        remote = None if found is failed or found[0] is None else _read(found[0], found[1])
        if found is failed and local is None:
            raise UnavailableError(
                "SESSIONS_UNAVAILABLE", "kept calls cannot be read right now; try again", retry_after=PAUSE_S
            )
        # Whichever saw more of the call: Redis missed what came while it was down, this process what came elsewhere.
        if local is None or (remote is not None and _progress(remote) >= _progress(local)):
            return remote
        self._unsaved[call_id] = list(local.answers)
        self._to_replace.add(call_id)
        return local

    async def save(self, session: Session, owner: str, new: Sequence[SegmentAnswer]) -> None:
        """See `SessionStore`."""
        await self._local.save(session, owner, new)
        if not session.known:
            self._to_replace.add(session.call_id)
        replaces = session.call_id in self._to_replace
        unsaved = [*self._unsaved.get(session.call_id, ()), *new][-self._keep_answers :]
        keys = [self._key(session.call_id, part) for part in ("state", "answers", "owner")]
        state = _SESSION.dump_json(replace(session, answers=deque()), exclude_defaults=True)
        answers = [_ANSWER.dump_json(answer) for answer in unsaved]
        args = [owner, state, self._ttl_ms, self._lease_ms, int(replaces), self._keep_answers, *answers]
        saved = await self._ask(lambda: self._save(keys=keys, args=args), None)
        if saved is None:
            self._unsaved[session.call_id] = unsaved
            return
        self._unsaved.pop(session.call_id, None)
        self._to_replace.discard(session.call_id)
        if not saved:
            raise busy(session.call_id)

    async def close(self) -> None:
        """See `SessionStore`."""
        await self._redis.aclose()
        await self._local.close()

    async def _ask(self, command: Callable[[], Awaitable[Any]], otherwise: Answer) -> Any | Answer:
        """Redis's answer, or another one where it gives none in time."""
        if time.monotonic() < self._retry_at:
            return otherwise
        try:
            return await command()
        except (RedisError, OSError) as error:
            self._retry_at = time.monotonic() + PAUSE_S
            log.warning("redis does not answer; calls are kept in this process", error=type(error).__name__)
            return otherwise

    def _key(self, call_id: str, part: str) -> str:
        return f"{self._prefix}{{{call_id}}}:{part}"


def _read(state: bytes, answers: Sequence[bytes]) -> Session | None:
    """A call as it was saved; None where another version of the service saved it in a form unknown to this one."""
    try:
        session = _SESSION.validate_json(state)
        session.answers = deque(_ANSWER.validate_json(answer) for answer in answers)
    except ValidationError:
        log.warning("a kept call cannot be read and is forgotten")
        return None
    return session


def _progress(session: Session) -> tuple[float, int]:
    return session.started_at, len(session.known)
