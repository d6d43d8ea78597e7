"""Pages between the process that parses and the one that asked: JSON and raw numbers, nothing that could run.

A process that met a hostile file is not trusted, so what it says is read as data and its sizes are checked.
"""

import json
from typing import Any

import numpy as np

from services.doc_extract.page import Block, Cell, Line, Page, Paragraph, Table


def packed(pages: list[Page]) -> bytes:
    """Pages as bytes: the length of a JSON header, the header, then all characters' boxes."""
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
            {
                "width": page.width,
                "height": page.height,
                "rotation": page.rotation,
                "blocks": [block(one) for one in page.blocks],
            }
            for page in pages
        ]
    ).encode()
    return len(header).to_bytes(8, "big") + header + b"".join(boxes)


def unpacked(data: bytes) -> tuple[Page, ...]:
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
            Page(
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
