"""Recognition and time per page, ours beside RapidOCR's own pipeline on the same pictures, one thread each.

Reads scans of receipts of the public set SROIE (ICDAR 2019), and A4 pages of our own, drawn askew and sealed. The pages
of both sorts take turns between the two pipelines, so that what else the machine does hits both alike. Needs
`make bench-ocr-peer` and the training extra's fonts for the drawn pages.
"""

import argparse
import io
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bankai.errors import UnavailableError
from bankai.inference import open_backend
from bankai.inference.label_file import read_labels
from bankai.inference.repository import ModelRepository
from bankai.settings import InferenceSettings
from benchmarks.command import Report, arguments, run
from benchmarks.ocr_scores import PlacedText, Score, score
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.page import Page, PageImage, Paragraph
from services.doc_extract.reading.images import pictures_of
from services.doc_extract.reading.ocr import recognition
from services.doc_extract.reading.ocr.reader import PageReader
from training.doc_extract.drawing.pdf import draw
from training.doc_extract.drawing.scanning import Scanner, scan
from training.doc_extract.samples import notice
from training.paths import ROOT, public

_PEER = ROOT / ".bench" / "rapidocr" / "bin" / "python"
_TIMEOUT_S = 120.0
_DRAWN = (
    Scanner(dpi=200, skew=0.0, noise=3.0),
    Scanner(dpi=200, skew=2.5, noise=6.0),
    Scanner(dpi=150, skew=-1.5, noise=9.0, grey=True),
    Scanner(dpi=200, skew=1.0, noise=4.0, turn=90),
)


@dataclass(frozen=True)
class Picture:
    """A picture to read.

    Attributes:
        file: Where it is.
        sort: Receipt or notice.
        truth: What stands on it; empty where that is not judged.
    """

    file: Path
    sort: str
    truth: Sequence[PlacedText]

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return self.file.read_bytes()


@dataclass(frozen=True)
class Reading:
    """What a pipeline made of a picture."""

    texts: Sequence[PlacedText]
    seconds: float


def receipts(count: int) -> list[Picture]:
    """Receipts with their lines."""
    files = sorted(public("sroie", "img").glob("*.jpg"))[:count]
    return [Picture(file, "receipt", _boxes(public("sroie", "box", f"{file.stem}.csv"))) for file in files]


def notices(folder: Path, count: int) -> list[Picture]:
    """Pictures of our sample notice, written into a folder; their lines are those of its text layer's cells."""
    pictures = []
    drawn = draw(notice())
    for number, scanner in enumerate(_DRAWN[:count]):
        file = folder / f"notice_{number}.png"
        file.write_bytes(scan(drawn, scanner).image("PNG"))
        pictures.append(Picture(file, "notice", ()))
    return pictures


def _boxes(file: Path) -> list[PlacedText]:
    texts = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        parts = line.split(",", 8)
        if len(parts) == 9 and parts[8].strip():
            x, y = [float(part) for part in parts[0:8:2]], [float(part) for part in parts[1:8:2]]
            texts.append(PlacedText(parts[8], (min(x), min(y), max(x), max(y))))
    return texts


async def _ours(reader: PageReader, data: bytes) -> Reading:
    (picture,) = pictures_of(data, [1], IntakeLimits())
    with Image.open(io.BytesIO(data)) as image:
        scale = max(image.size) / max(picture.pixels.shape[:2])
    start = time.perf_counter()
    page = await reader.read(picture.pixels, dpi=picture.dpi, number=1, timeout=_TIMEOUT_S)
    seconds = time.perf_counter() - start
    return Reading(_texts(page, picture, scale), seconds)


def _texts(page: Page, picture: PageImage, scale: float) -> list[PlacedText]:
    """The lines, in pixels of the file."""
    lines = [
        line
        for block in page.blocks
        for line in (
            block.lines if isinstance(block, Paragraph) else [each for cell in block.cells for each in cell.lines]
        )
    ]
    points = picture.dpi / 72 * scale
    placed = []
    for line in lines:
        left, top = np.nanmin(line.boxes[:, :2], axis=0) * points
        right, bottom = np.nanmax(line.boxes[:, 2:], axis=0) * points
        placed.append(PlacedText(line.text, (float(left), float(top), float(right), float(bottom))))
    return placed


def _theirs(files: Sequence[Path]) -> list[Reading]:
    if not _PEER.exists():
        raise UnavailableError("PEER_MISSING", "RapidOCR is not set up: make bench-ocr-peer")
    command = [str(_PEER), str(ROOT / "benchmarks" / "rapidocr_peer.py"), *map(str, files)]
    # S603: our own script in an environment of our own
    output = subprocess.run(command, check=True, capture_output=True, text=True, env={"OMP_NUM_THREADS": "1"}).stdout
    answers = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [
        Reading(
            [PlacedText(text, tuple(box)) for text, box in zip(answer["texts"], answer["boxes"], strict=True)],
            answer["seconds"],
        )
        for answer in answers
    ]


async def measure(options: argparse.Namespace) -> Report:
    """Reads every picture with both pipelines."""
    cv2.setNumThreads(1)
    settings = InferenceSettings(threads=1)
    backend = open_backend(settings)
    try:
        version = ModelRepository(settings.models_dir).version_dir(recognition.MODEL)
        reader = PageReader(backend, read_labels(version, list[str]))
        with tempfile.TemporaryDirectory() as folder:
            pictures = receipts(1 if options.quick else 20) + notices(Path(folder), 1 if options.quick else 4)
            await _ours(reader, pictures[0].data)  # loads the models
            ours, theirs = [], []
            for picture in pictures:
                ours.append(await _ours(reader, picture.data))
                theirs += _theirs([picture.file])
    finally:
        await backend.close()
    return {
        sort: _compared([(each, a, b) for each, a, b in zip(pictures, ours, theirs, strict=True) if each.sort == sort])
        for sort in ("receipt", "notice")
    }


def _compared(rows: Sequence[tuple[Picture, Reading, Reading]]) -> Report:
    report: Report = {"pictures": len(rows)}
    seconds = {}
    for name, which in (("ours", 1), ("rapidocr", 2)):
        readings: list[Reading] = [row[which] for row in rows]  # type: ignore[misc]
        seconds[name] = float(np.mean([reading.seconds for reading in readings]))
        report[f"{name}_s_per_page"] = seconds[name]
        judged = [
            (picture.truth, reading.texts)
            for (picture, *_), reading in zip(rows, readings, strict=True)
            if picture.truth
        ]
        if judged:
            total = sum((score(truth, read) for truth, read in judged), Score())
            report |= {
                f"{name}_error_rate": total.error_rate,
                f"{name}_line_accuracy": total.line_accuracy,
                f"{name}_word_f1": total.word_f1,
            }
    report["time_ratio"] = seconds["ours"] / seconds["rapidocr"]
    return report


if __name__ == "__main__":
    run("ocr", measure, arguments(__doc__).parse_args())
