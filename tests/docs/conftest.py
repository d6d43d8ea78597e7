import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the guide out, unless it is asked for: following it takes minutes."""
    if "guide" not in config.option.markexpr:
        for item in items:
            if item.get_closest_marker("guide"):
                item.add_marker(pytest.mark.skip("docs/operations.md is followed by `make ops-check`"))
