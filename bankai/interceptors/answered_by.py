"""Says with each answer which models made it, for whoever keeps account of answers without reading them."""

from collections.abc import Iterator
from contextlib import contextmanager

from bankai import answered_by
from bankai.interceptors.base import CallInfo, Context, SyncInterceptor

HEADER = "x-bankai-model-version"


class AnsweredByInterceptor(SyncInterceptor):
    """Returns the models and their versions in the trailing metadata, e.g. "intent/1, intent_partial/1"."""

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:  # noqa: ARG002  # part of the protocol
        """Notes them while the handler runs."""
        models = answered_by.listen()
        yield
        if models:
            trailers = tuple(item for item in context.trailing_metadata() or () if item[0] != HEADER)
            context.set_trailing_metadata((*trailers, (HEADER, ", ".join(sorted(models)))))
