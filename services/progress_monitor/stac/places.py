"""Where the links of a catalogue lead."""

from urllib.parse import quote

from pystac.utils import make_absolute_href

from services.progress_monitor.sources.s3 import SCHEME


def absolute(href: str, base: str) -> str:
    """The address that a link stands for. It may lie anywhere: whoever reads it checks that.

    Args:
        href: As the document writes it.
        base: Address of the document.
    """
    found = make_absolute_href(href, base, start_is_dir=False)
    if found.startswith("/") and not base.startswith(SCHEME):
        return f"file://{quote(found)}"
    return found
