"""Benchmarks: each compares with its floor or peer in the same run and prints the ratio; see docs/benchmarks.md."""

import os

# Programs are started while grpc's threads run; its handlers of forks, which it reads this for when it is imported, may
# abort the child.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
