"""Writing versions into a model's folder so that, whenever the machine stops, one whole version is served.

A version is copied under a name that no backend takes for one, and renamed when it lies on the disk. Which version is
served is a line of config.pbtxt, its version_policy, which both backends follow.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from bankai.drift.reference import FILE as REFERENCE_FILE
from bankai.errors import ConflictError, InvalidRequestError
from bankai.inference.repository import CONFIG_FILE

_INCOMING = ".incoming"
_LOCK = ".lock"


@contextmanager
def locked(model_dir: Path) -> Iterator[None]:
    """Keeps every other rollout of a model away while the context is open.

    Raises:
        ConflictError: ROLLOUT_UNDER_WAY.
    """
    with (model_dir / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(
                "ROLLOUT_UNDER_WAY", "another rollout of this model is under way; wait until it has ended"
            ) from None
        yield


def digest(version_dir: Path) -> str:
    """SHA-256 over the names and contents of a version's files, in hex.

    The drift reference is left out: it decides no answer, and a bank may make it anew from its own data.
    """
    total = sha256()
    for file in sorted(version_dir.rglob("*")):
        if file.is_file() and file.name != REFERENCE_FILE:
            with file.open("rb") as content:
                line = f"{file_digest(content, 'sha256').hexdigest()}  {file.relative_to(version_dir).as_posix()}\n"
            total.update(line.encode())
    return total.hexdigest()


def stage(candidate: Path, model_dir: Path) -> Path:
    """Copies a candidate into a model's folder, onto the disk, where no backend takes it for a version.

    Args:
        candidate: Folder with the files of the version.
        model_dir: The model's folder. What an earlier rollout left half copied there is removed.

    Returns:
        The copy.

    Raises:
        InvalidRequestError: CANDIDATE_UNREADABLE.
    """
    staged = model_dir / _INCOMING
    shutil.rmtree(staged, ignore_errors=True)
    if not candidate.is_dir():
        raise InvalidRequestError("CANDIDATE_UNREADABLE", f"{candidate} is no folder with a model's files")
    try:
        # Contents only: a version is to be readable by the services, whatever the candidate's own permissions are.
        shutil.copytree(candidate, staged, copy_function=shutil.copyfile)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise InvalidRequestError("CANDIDATE_UNREADABLE", f"{candidate} cannot be copied: {error}") from None
    for path in (*staged.rglob("*"), staged):
        path.chmod(0o755 if path.is_dir() else 0o644)
        _sync(path)
    return staged


def place(staged: Path, version: int) -> None:
    """Makes a staged copy a version, at once and for good."""
    staged.rename(staged.parent / str(version))
    _sync(staged.parent)


def discard(staged: Path) -> None:
    """Removes a staged copy that did not become a version."""
    shutil.rmtree(staged, ignore_errors=True)


def point(model_dir: Path, version: int) -> None:
    """Names the version to serve in config.pbtxt, at once and for good."""
    file = model_dir / CONFIG_FILE
    new = model_dir / f".{CONFIG_FILE}"
    new.write_text(pointed(file.read_text(encoding="utf-8"), version), encoding="utf-8")
    shutil.copymode(file, new)
    _sync(new)
    new.replace(file)
    _sync(model_dir)


def pointed(config: str, version: int) -> str:
    """A config.pbtxt whose version_policy names one version; all else stays as it is written, where that is possible.

    Args:
        config: What the file says.
        version: The version to serve.
    """
    wanted = text_format.Parse(config, model_config_pb2.ModelConfig())
    wanted.version_policy.Clear()
    wanted.version_policy.specific.versions.append(version)
    policy = f"version_policy {{ specific {{ versions: [ {version} ] }} }}\n"
    text = _without_policy(config).rstrip("\n") + "\n" + policy
    try:
        kept = text_format.Parse(text, model_config_pb2.ModelConfig()) == wanted
    except text_format.ParseError:
        kept = False
    # A policy written in an unusual way costs the file its comments, not its meaning.
    return text if kept else text_format.MessageToString(wanted)


def _without_policy(config: str) -> str:
    start = config.find("version_policy")
    if start < 0:
        return config
    depth = 0
    for end in range(config.find("{", start), len(config)):
        depth += {"{": 1, "}": -1}.get(config[end], 0)
        if not depth:
            return config[:start] + config[end + 1 :].lstrip("\n")
    return config


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
