"""The `bankai` command: the one place that knows every part of the product by name, and runs them.

Command modules import what they run only when they run it, so that `--help` answers at once.
"""

from bankai.cli.app import main

__all__ = ["main"]
