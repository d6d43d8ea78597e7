import asyncio

from services.intent.inbox import Inbox
from services.intent.segment import Segment, Speaker


def segment(segment_id: str, text: str = "卡", *, is_final: bool = True) -> Segment:
    return Segment(segment_id, Speaker.CALLER, text, is_final)


async def test_finals_come_out_in_order_and_a_flood_waits() -> None:
    inbox = Inbox(2)

    async def put() -> None:
        for number in range(5):
            await inbox.put_final(segment(str(number)))
        inbox.close()

    putting = asyncio.create_task(put())
    await asyncio.sleep(0)
    assert not putting.done()
    got = []
    while (taken := await inbox.next_final()) is not None:
        assert not inbox.idle
        got.append(taken.segment_id)
    assert got == list("01234")
    assert inbox.idle
    await putting


async def test_only_the_newest_partial_is_kept() -> None:
    inbox = Inbox(2)
    for text in ("我", "我要", "我要挂失"):
        inbox.put_partial(segment("1", text, is_final=False))
    assert (await inbox.next_partial()).text == "我要挂失"


async def test_a_final_overtakes_its_partials() -> None:
    inbox = Inbox(2)
    inbox.put_partial(segment("1", "我", is_final=False))
    await inbox.put_final(segment("1"))
    inbox.put_partial(segment("1", "我要", is_final=False))
    inbox.put_partial(segment("2", "余", is_final=False))
    assert (await inbox.next_partial()).segment_id == "2"
    assert inbox.overtaken(segment("1", "我", is_final=False))
    assert await inbox.next_final() is not None
    assert inbox.overtaken(segment("1", "我", is_final=False))


async def test_ending_leaves_what_waits_unless_it_is_the_last() -> None:
    inbox = Inbox(4)
    await inbox.put_final(segment("1"))
    inbox.end()
    assert await inbox.next_final() is None
    inbox.close()
    assert await inbox.next_final() is not None
    assert await inbox.next_final() is None
