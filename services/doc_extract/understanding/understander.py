"""From a document's pages to its values, kind and findings."""

import asyncio
import time
from collections.abc import Sequence

from bankai.inference.backend import InferenceBackend
from bankai.inference.label_file import read_labels
from bankai.inference.repository import ModelRepository
from services.doc_extract.candidate import Candidate
from services.doc_extract.checks import run_checks
from services.doc_extract.checks.facts import Facts
from services.doc_extract.finders import find_candidates
from services.doc_extract.page import Page
from services.doc_extract.result import Extraction, FieldValue, PageInfo
from services.doc_extract.schema import FieldSpec, Schema, credit
from services.doc_extract.text import DocumentText
from services.doc_extract.understanding.combining import agreed, combine
from services.doc_extract.understanding.decoding import RoleValue, decode
from services.doc_extract.understanding.kind import document_kind
from services.doc_extract.understanding.labelled import Labels
from services.doc_extract.understanding.labels import RoleLabels, mismatch
from services.doc_extract.understanding.roles import MODEL, RoleModel, Roles
from services.doc_extract.understanding.rows import Surroundings
from services.doc_extract.understanding.short_names import resolve
from services.doc_extract.understanding.tokens import WindowEncoder

TOKENIZER = "tokenizer.json"

_LEAST = 0.4
"""Probability below which a value is not told at all: more would be wrong than right, and cost a person's time."""


class Understander:
    """Understands documents. Belongs to one event loop.

    Args:
        backend: Runs the role model.
        repository: Where its labels and its tokenizer lie.

    Raises:
        FaultError: The model's files are missing or wrong, or name a field that the built-in schema does not have.
    """

    def __init__(self, backend: InferenceBackend, repository: ModelRepository) -> None:
        folder = repository.version_dir(MODEL)
        self._labels = read_labels(folder, RoleLabels)
        self._known = known_fields(self._labels)
        self._aliases = credit().aliases
        encoder = WindowEncoder(folder / TOKENIZER)
        self._model = RoleModel(backend, encoder, [field.id for field in self._known], self._aliases)
        self._started_with = folder.name

    async def understand(self, pages: Sequence[Page], schema: Schema, timeout: float) -> Extraction:  # noqa: ASYNC109  # sent along
        """What a document that has been read says.

        Args:
            pages: Its pages.
            schema: The fields that are wanted.
            timeout: Seconds until the answer is of no use any more.

        Raises:
            BankaiError: As `InferenceBackend.infer` raises it.
        """
        deadline = time.monotonic() + timeout
        text, candidates = await asyncio.to_thread(_searched, pages)
        roles = await self._model.read(text.text, candidates, deadline)
        return await asyncio.to_thread(self._conclude, pages, text, candidates, roles, schema)

    def _conclude(
        self,
        pages: Sequence[Page],
        text: DocumentText,
        candidates: Sequence[Candidate],
        roles: Roles,
        schema: Schema,
    ) -> Extraction:
        around = Surroundings(text.text, self._aliases)
        labelled = Labels(schema.fields).values(text.text, candidates)
        found = agreed(decode(text.text, roles, candidates, self._known, around), labelled)
        told = combine(resolve(text.text, found, self._known), labelled, schema)
        values = [value for value in (self._value(text, each, schema) for each in told) if value.confidence >= _LEAST]
        kind, share = document_kind(text.text)
        return Extraction(
            kind=kind,
            kind_confidence=share,
            values=values,
            findings=run_checks(Facts(kind, values, schema)),
            pages=[PageInfo(page.number, page.width, page.height, page.source, page.rotation) for page in pages],
            schema_version=schema.version,
            model_version=f"{MODEL}-{roles.version or self._started_with}",
        )

    def _value(self, text: DocumentText, value: RoleValue, schema: Schema) -> FieldValue:
        calibration = self._labels.calibration.get(value.field)
        understood = calibration.probability(value.score) if calibration else value.score
        confidence = understood * float(text.confidence[value.start : value.end].min())
        field = schema.field(value.field)
        return FieldValue(
            field=value.field,
            text=text.text[value.start : value.end],
            norm=value.norm,
            confidence=confidence,
            needs_review=field is None or confidence < field.review_below,
            start=value.start,
            end=value.end,
            regions=text.regions(value.start, value.end),
        )


def _searched(pages: Sequence[Page]) -> tuple[DocumentText, list[Candidate]]:
    text = DocumentText.of(pages)
    return text, find_candidates(text.text)


def known_fields(labels: RoleLabels) -> list[FieldSpec]:
    """The built-in fields that a model knows, in the order of its outputs.

    Raises:
        FaultError: MODEL_LABELS_MISMATCH.
    """
    schema = credit()
    fields = [schema.field(name) for name in labels.fields]
    unknown = [name for name, field in zip(labels.fields, fields, strict=True) if field is None]
    if unknown:
        raise mismatch(labels.model, unknown[0])
    return [field for field in fields if field is not None]
