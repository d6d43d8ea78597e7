"""The process that decodes one photo (see bankai.sandbox): `python -m services.progress_monitor.photos.worker`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from bankai.sandbox import answered, limit_this_process
from services.progress_monitor.photos.decoding import read_photo, too_large
from services.progress_monitor.photos.limits import PhotoLimits


def main() -> None:
    """Runs the command."""
    limits = PhotoLimits(**json.loads(sys.argv[1]))
    limit_this_process(limits.memory_bytes, limits.cpu_s)
    Image.MAX_IMAGE_PIXELS = None  # ours is asked instead, and says what is wrong
    path = Path(sys.stdin.buffer.read().decode())
    answered(lambda: b"P" + json.dumps(asdict(read_photo(path, limits))).encode(), lambda: too_large(limits))


if __name__ == "__main__":
    main()
