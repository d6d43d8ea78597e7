"""Generates the Python code of protos/, or checks that what is committed is fresh: `python -m tools.protos [--check]`.

The Python path of a generated module is its proto package (bankai/intent/v1/intent_pb2.py), as with googleapis, so the
code lies inside the `bankai` package. protos/google holds copies of what googleapis-common-protos ships, so that
protos/ is complete for whoever generates from it; their Python code is in that package.
"""

import argparse
import filecmp
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parent.parent
PROTOS = ROOT / "protos"
PUBLISHED = {
    "google/api/annotations.proto": "google.api",
    "google/api/client.proto": "google.api",
    "google/api/field_behavior.proto": "google.api",
    "google/api/http.proto": "google.api",
    "google/api/launch_stage.proto": "google.api",
    "google/longrunning/operations.proto": "google.longrunning",
    "google/rpc/status.proto": "google.rpc",
}
"""Files that are copied, by the package that ships them."""
RENAMED = {"operations.proto": "operations_proto.proto"}
"""Files that the package ships under another name than everybody imports them by."""


def generate(out: Path) -> list[Path]:
    """Writes the code of every proto of ours below `out` and returns the paths written, relative to it."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in (PROTOS / "bankai").rglob("*.proto"))
    bundled = str(files("grpc_tools") / "_proto")
    scripts = Path(sys.executable).parent
    arguments = [
        "protoc",
        f"--proto_path={PROTOS}",
        f"--proto_path={bundled}",
        f"--plugin=protoc-gen-mypy={scripts / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={scripts / 'protoc-gen-mypy_grpc'}",
        f"--python_out={out}",
        f"--grpc_python_out={out}",
        f"--mypy_out=quiet:{out}",
        f"--mypy_grpc_out=quiet:{out}",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        sys.exit("protoc failed; its message is above.")
    return sorted(path.relative_to(out) for path in out.rglob("*_pb2*"))


def copy_published(out: Path) -> list[Path]:
    """Writes the copies below `out` and returns the paths written, relative to it."""
    for path, package in PUBLISHED.items():
        name = Path(path).name
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes((files(package) / RENAMED.get(name, name)).read_bytes())
    return [Path(path) for path in PUBLISHED]


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the committed code is stale")
    if not parser.parse_args().check:
        copy_published(PROTOS)
        generate(ROOT)
        return
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        stale = [
            path
            for paths, committed in ((copy_published(fresh), PROTOS), (generate(fresh), ROOT))
            for path in paths
            if not (committed / path).exists() or not filecmp.cmp(committed / path, fresh / path, shallow=False)
        ]
    if stale:
        sys.exit(f"Stale: {', '.join(map(str, stale))}. Run `make protos` and commit the result.")


if __name__ == "__main__":
    main()
