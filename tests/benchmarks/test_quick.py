"""Every benchmark runs, loses nothing and reports; its numbers mean nothing in so short a time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import envoy_process, mlserver_process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # a few seconds each where the machine is not busy


TOGETHER = ("latency", "calls", "throughput", "soak", "rescan", "capacity")
"""Those that start the product: at once, as they mostly wait for them, and for each other's end none has to."""

Report = dict[str, Any]
Together = dict[str, subprocess.Popen[str]]


def _started(name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _reported(name: str, process: subprocess.Popen[str]) -> Report:
    out, said = process.communicate()
    assert process.returncode == 0, said
    report = json.loads(out.splitlines()[-1])
    assert report["benchmark"] == name
    assert isinstance(report, dict)
    return report


def _quick(name: str) -> Report:
    return _reported(name, _started(name))


@pytest.fixture(scope="module")
def together() -> Iterator[Together]:
    processes = {name: _started(name) for name in TOGETHER}
    yield processes
    for process in processes.values():
        process.terminate()
        process.communicate()


def test_latency(together: Together) -> None:
    report = _reported("latency", together["latency"])
    assert report["failures"] == 0
    assert all(answers["p50_ms"] > 0 for answers in report["answers"].values())
    assert all(report[kind]["cpu_ms_through_gateway"]["gateway"] > 0 for kind in ("cpu_unary", "cpu_stream"))


def test_calls(together: Together) -> None:
    report = _reported("calls", together["calls"])
    for phase in ("finals", "partials"):
        assert report[phase]["sent"] > 0
        assert report[phase]["lost"] == 0
        assert not report[phase]["calls_broken"]
    assert report["partials"]["partial_answer"]["n"] > 0
    assert set(report["memory"]) == {"gateway", "intent"}


def test_capacity(together: Together) -> None:
    report = _reported("capacity", together["capacity"])
    assert set(report["starts_s"]) == {"gateway", "intent", "doc_extract", "progress_monitor"}
    assert all(level["lost"] == 0 for level in report["levels"])
    assert all(level[side]["cores"]["intent"] > 0 for level in report["levels"] for side in ("predicted", "measured"))


def test_throughput(together: Together) -> None:
    report = _reported("throughput", together["throughput"])
    for way in ("call", "classify"):
        assert report[way]["lost"] == 0
        assert report[way]["ratio"] > 0


def test_quota() -> None:
    report = _quick("quota")
    assert all(us > 0 for us in report["us"].values())
    assert set(report["added_over_round_trip"]) == {"local", "leased_1", "leased_5", "leased_50"}
    assert report["added_over_round_trip"]["local"] < report["added_over_round_trip"]["leased_1"]


def test_drift() -> None:
    report = _quick("drift")
    assert 0 < report["us_least"] <= report["us"]


def test_rescan(together: Together) -> None:
    report = _reported("rescan", together["rescan"])
    assert report["done"] == report["sites"] > report["done_at_kill"] > 0
    assert (report["repeated"], report["unmeasured"]) == (0, 0)


def test_bulk() -> None:
    report = _quick("bulk")
    assert report["bare_files_per_s"] > 0
    assert report["local"]["ratio"] > 0


@pytest.mark.skipif(not mlserver_process.PROGRAM.exists(), reason="make bench-peer has not been run")
def test_peer_mlserver() -> None:
    report = _quick("peer_mlserver")
    assert all(each["lost"] == 0 for load in ("closed", "paced") for each in report[load].values())
    assert report["throughput_ratio"] > 0


def test_soak(together: Together) -> None:
    report = _reported("soak", together["soak"])
    assert report["answers"] > report["calls"] > 0
    assert report["cuts"] > 0
    assert (report["wrong"], report["failures"]) == ({}, {})


@pytest.mark.skipif(not envoy_process.PROGRAM.exists(), reason="make bench-envoy-peer has not been run")
def test_peer_envoy() -> None:
    report = _quick("peer_envoy")
    assert not report["failures"]
    assert report["answers"]["gateway"]["n"] == report["answers"]["envoy_call"]["n"] > 0


def test_audit() -> None:
    report = _quick("audit")
    assert report["line_bytes"] > 500
    assert 0 < report["us"]["floor"] < report["us"]["record"]
    assert report["added_us"] > 0
