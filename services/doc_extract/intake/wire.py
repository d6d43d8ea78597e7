"""Pages between the process that parses and the one that asked: JSON and raw numbers, nothing that could run.

A process that met a hostile file is not trusted, so what it says is read as data and its sizes are checked.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from services.doc_extract.page import Block, Cell, Line, Page, PageImage, Paragraph, Scan, Table


def packed(pages: Sequence[Page | Scan]) -> bytes:
    """Pages as bytes: the length of a JSON header, the header, then all characters' boxes. A scan is null."""
    boxes: list[bytes] = []

    def lines(them: Any) -> list[str]:
        boxes.extend(np.ascontiguousarray(line.boxes, np.float32).tobytes() for line in them)
        return [line.text for line in them]

    def block(one: Block) -> dict[str, Any]:
        if isinstance(one, Paragraph):
            return {"lines": lines(one.lines)}
        return {"cells": [[cell.row, cell.column, lines(cell.lines)] for cell in one.cells]}

    header = json.dumps(
        [
            None
            if isinstance(page, Scan)
            else {
                "width": page.width,
                "height": page.height,
                "rotation": page.rotation,
                "blocks": [block(one) for one in page.blocks],
            }
            for page in pages
        ]
    ).encode()
    return len(header).to_bytes(8, "big") + header + b"".join(boxes)


def unpacked(data: bytes) -> tuple[Page | Scan, ...]:
    """The way back.

    Raises:
        ValueError: The bytes are not what `packed` makes.
    """
    end = 8 + int.from_bytes(data[:8], "big")
    numbers = np.frombuffer(data, np.float32, offset=end).reshape(-1, 4)
    at = 0

    def lines(texts: list[str]) -> list[Line]:
        nonlocal at
        found = []
        for text in texts:
            found.append(Line(text, numbers[at : at + len(text)]))
            at += len(text)
        return found

    def block(one: dict[str, Any]) -> Block:
        if "lines" in one:
            return Paragraph(lines(one["lines"]))
        return Table([Cell(row, column, lines(texts)) for row, column, texts in one["cells"]])

    try:
        pages = tuple(
            Scan(number)
            if page is None
            else Page(
                number,
                float(page["width"]),
                float(page["height"]),
                [block(one) for one in page["blocks"]],
                rotation=int(page["rotation"]),
            )
            for number, page in enumerate(json.loads(data[8:end]), 1)
        )
    except (KeyError, TypeError) as error:
        raise ValueError("the header is not one of pages") from error
    if at != len(numbers):
        raise ValueError("there are not as many boxes as characters")
    return pages


def packed_pictures(pictures: Sequence[PageImage]) -> bytes:
    """Pictures as bytes: the length of a JSON header, the header, then all pixels."""
    header = json.dumps([[*picture.pixels.shape[:2], picture.dpi] for picture in pictures]).encode()
    pixels = b"".join(np.ascontiguousarray(picture.pixels).tobytes() for picture in pictures)
    return len(header).to_bytes(8, "big") + header + pixels


def unpacked_pictures(data: bytes) -> list[PageImage]:
    """The way back.

    Raises:
        ValueError: The bytes are not what `packed_pictures` makes.
    """
    at = 8 + int.from_bytes(data[:8], "big")
    pictures = []
    for height, width, dpi in json.loads(data[8:at]):
        size = int(height) * int(width) * 3
        pixels = np.frombuffer(data, np.uint8, count=size, offset=at).reshape(int(height), int(width), 3)
        pictures.append(PageImage(pixels, float(dpi)))
        at += size
    if at != len(data):
        raise ValueError("there are not as many pixels as told")
    return pictures
