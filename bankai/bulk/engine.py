"""The engines by name; light, for the command line."""

from enum import StrEnum


class Engine(StrEnum):
    """Who does bulk work."""

    LOCAL = "local"
    """Processes of this machine."""
    RAY = "ray"
    """A Ray cluster."""
