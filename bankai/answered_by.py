"""Which models answered a call, noted as it is handled; apart from inference, which the gateway does not load."""

from contextvars import ContextVar

_models: ContextVar[set[str]] = ContextVar("answered_by")


def listen() -> set[str]:
    """Begins to note which models answer within the current task and those that it starts.

    Returns:
        Model and version of each, e.g. "intent/1"; grows as they answer.
    """
    models: set[str] = set()
    _models.set(models)
    return models


def note(model: str, version: str) -> None:
    """Notes that a model has answered; nothing where nobody listens.

    Args:
        model: Its name.
        version: Its version.
    """
    models = _models.get(None)
    if models is not None:
        models.add(f"{model}/{version}")
