"""One method of a service."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Method:
    """What is known of a method.

    Attributes:
        path: Full path, e.g. "/bankai.intent.v1.IntentService/Classify".
        unary: Whether a call is one request and one answer.
        idempotent: Whether a call may be sent again: it changes nothing, or the same thing once.
        without_effects: Whether it changes nothing, so that it may also run twice at once.
    """

    path: str
    unary: bool = False
    idempotent: bool = False
    without_effects: bool = False

    @property
    def name(self) -> str:
        """Name of the rpc within its service."""
        return self.path.rpartition("/")[2]
