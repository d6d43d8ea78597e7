import pytest

from tests.fuzz.gateway import run


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_product_bears_what_an_attacker_sends() -> None:
    """A short run of the fuzzer; `python -m tests.fuzz.gateway` is the long one."""
    assert await run(frames=1000, calls=60, seed=7) == []
