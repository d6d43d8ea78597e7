"""Settings of the console."""

from pathlib import Path

from pydantic import field_validator

from bankai.settings import Group, Seconds
from gateway.console.keys import read_key


class ConsoleSettings(Group):
    """How people sign in to the console, which is served on the HTTP port.

    Attributes:
        key: File of the key that seals sessions, the same for all gateways behind one name; without it there is no
            console.
        idle_s: Seconds without a call after which a person must sign in again.
        session_s: Seconds after which they must in any case.
    """

    key: Path | None = None
    idle_s: Seconds = 1800.0
    session_s: Seconds = 12 * 3600.0

    @field_validator("key")
    @classmethod
    def _key(cls, file: Path | None) -> Path | None:
        if file is not None:
            read_key(file)
        return file
