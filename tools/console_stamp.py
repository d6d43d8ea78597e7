"""Says which sources the console's built pages are of: `python -m tools.console_stamp` writes it after a build."""

from hashlib import sha256
from pathlib import Path

_SOURCES = Path(__file__).resolve().parents[1] / "console"
STAMP = _SOURCES.parent / "gateway" / "console" / "sources.sha256"
"""Where it is written."""


def stamp() -> str:
    """Hash of all sources of the pages, of their build and of its pins."""
    kept = [file for file in _SOURCES.rglob("*") if file.is_file() and "node_modules" not in file.parts]
    lines = [
        f"{sha256(file.read_bytes()).hexdigest()} {file.relative_to(_SOURCES).as_posix()}" for file in sorted(kept)
    ]
    return sha256("\n".join(lines).encode()).hexdigest()


def main() -> None:
    """Writes it."""
    STAMP.write_text(stamp() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
