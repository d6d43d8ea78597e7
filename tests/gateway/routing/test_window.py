from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.window import Window
from tests.gateway.routing.clock import Clock


def test_it_forgets_what_is_older_than_its_length() -> None:
    clock = Clock()
    window = Window(10.0, clock)
    window.add(failed=True)
    clock.passes(5)
    window.add(failed=False)
    assert window.totals() == (2, 1)
    clock.passes(5.5)
    assert window.totals() == (1, 0)
    clock.passes(100)
    assert window.totals() == (0, 0)


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=60))
def test_it_counts_what_a_list_of_everything_would(calls: list[tuple[float, bool]]) -> None:
    """All of the last nine tenths of the window, and nothing older than the whole."""
    clock = Clock()
    window = Window(10.0, clock)
    made = []
    for pause, failed in calls:
        clock.passes(pause)
        window.add(failed=failed)
        made.append((clock.now, failed))
    counted, failures = window.totals()
    surely = [failed for at, failed in made if clock.now - at < 9]
    perhaps = [failed for at, failed in made if clock.now - at <= 10]
    assert len(surely) <= counted <= len(perhaps)
    assert sum(surely) <= failures <= sum(perhaps)
