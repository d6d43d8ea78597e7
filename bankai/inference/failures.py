"""Failures that both backends tell in the same words."""

from bankai.errors import DeadlineError, UnavailableError


def closed() -> UnavailableError:
    """The backend gives up its resources."""
    return UnavailableError("INFERENCE_UNAVAILABLE", "inference is shutting down")


def too_late() -> DeadlineError:
    """The request's time is up."""
    return DeadlineError("DEADLINE_EXCEEDED", "the deadline passed before the model answered")
