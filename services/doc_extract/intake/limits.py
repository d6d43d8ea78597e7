"""How much one file may ask for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """Limits that hold before and while a file is parsed.

    Attributes:
        max_bytes: Size of the file.
        max_pages: Pages of a document.
        max_page_points: Longest side of a page, in points; PDF's own limit is 14,400.
        max_pixels: Pixels of an image, before it is decoded; a square metre at 300 dpi has 140 million.
        max_archive_members: Files inside a DOCX.
        max_archive_bytes: Size of all of them, unpacked.
        max_characters: Characters of a document.
        memory_bytes: Address space of the process that parses.
        cpu_s: Seconds of computing time of it.
        wall_s: Seconds from the file's arrival to its text.
    """

    max_bytes: int = 50 * 2**20
    max_pages: int = 300
    max_page_points: int = 14_400
    max_pixels: int = 60_000_000
    max_archive_members: int = 2_000
    max_archive_bytes: int = 200 * 2**20
    max_characters: int = 3_000_000
    memory_bytes: int = 1024 * 2**20
    cpu_s: int = 10
    wall_s: float = 12.0
