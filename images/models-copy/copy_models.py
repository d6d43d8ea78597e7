"""Copies a model repository into a volume: `python3.11 copy_models.py FROM TO`."""

import shutil
import sys
from pathlib import Path


def main() -> None:
    """Copies every model, over what an earlier try has left; the folder itself is another's, so it stays as it is."""
    source, target = map(Path, sys.argv[1:])
    for model in sorted(source.iterdir()):
        shutil.copytree(model, target / model.name, dirs_exist_ok=True)


if __name__ == "__main__":
    main()
