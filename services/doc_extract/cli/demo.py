"""The doc_extract service's part of `bankai demo`."""

from importlib.resources import files
from pathlib import Path

from rich.console import Console

from bankai.cli.connection import Connection
from bankai.client.documents import DocExtractClient, OutgoingDocument
from services.doc_extract.cli.running import extract_all, read, show

SAMPLES = (
    ("approval_notice.pdf", "A credit-approval notice, as a PDF with text"),
    ("approval_notice_scan.jpg", "The same as a scan, askew and sealed"),
)


async def show_samples(connection: Connection, console: Console) -> None:
    """Extracts every sample.

    Raises:
        BankaiError: The service cannot be reached, or refused something.
    """
    folder = Path(str(files("services.doc_extract.cli"))) / "samples"
    samples = [(folder / name, title) for name, title in SAMPLES if (folder / name).exists()]
    async with connection.channel() as channel:
        client = DocExtractClient(channel, connection.metadata)
        names = {field.field_id: field for schema in await client.schemas("credit") for field in schema.fields}
        for file, title in samples:
            console.rule(f"[bold]{title}[/bold]", align="left")
            document = OutgoingDocument(read(file), file.name)
            for answer in await extract_all(client, [file], [document]):
                show(answer, names, console)
