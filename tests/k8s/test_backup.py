"""The backup's job: what its pod runs makes dumps that bring everything back."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.k8s.manifests import Workload, made
from tests.services.postgres import postgres, programs


@pytest.fixture
def job(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    (found,) = made("keda", tmp_path_factory.mktemp("k8s")).jobs
    return found


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command with PostgreSQL's programs at hand."""
    path = f"{programs()}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, **variables}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=60)


def test_one_runs_at_a_time_and_not_for_ever(job: Workload) -> None:
    spec = job.manifest["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 24 * 3600
    assert job.pod["restartPolicy"] == "Never"


@pytest.mark.slow
def test_the_dumps_bring_everything_back(job: Workload, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    folder.mkdir()
    old = folder / "2020-01-01-doc-extract.dump"
    old.touch()
    os.utime(old, (0, 0))
    (script,) = job.server["args"]
    command = [*job.server["command"], script.replace("/backup", str(folder))]
    with postgres(tmp_path) as server:
        urls = {name: server.new_database() for name in ("DOC_EXTRACT_URL", "PROGRESS_MONITOR_URL")}
        for name, url in urls.items():
            assert run("psql", url, "-c", f"CREATE TABLE words AS SELECT '{name}' AS word").returncode == 0
        assert run(*command, **urls).returncode == 0
        dumps = sorted(folder.iterdir())
        assert [dump.name[11:] for dump in dumps] == ["doc-extract.dump", "progress-monitor.dump"]
        assert {dump.stat().st_mode & 0o077 for dump in dumps} == {0}
        for name, dump in zip(urls, dumps, strict=True):
            url = server.new_database()
            assert run("pg_restore", "--exit-on-error", f"--dbname={url}", str(dump)).returncode == 0
            assert run("psql", url, "-At", "-c", "SELECT word FROM words").stdout.split() == [name]
        gone = server.new_database().replace("test_", "gone_")
        assert run(*command, **urls | {"PROGRESS_MONITOR_URL": gone}).returncode != 0
