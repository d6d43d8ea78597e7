"""Contradictions inside one document."""

from services.doc_extract.checks.runner import run_checks

__all__ = ["run_checks"]
