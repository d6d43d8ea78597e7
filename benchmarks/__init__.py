"""Benchmarks: each compares with its floor or peer in the same run and prints the ratio; see docs/benchmarks.md."""
