"""Settings of idempotency keys."""

from pathlib import Path

from bankai.settings import Seconds
from bankai.state_settings import DatabaseSettings


class IdempotencySettings(DatabaseSettings):
    """Where the answers to calls with an idempotency key are kept, and for how long.

    Attributes:
        retention_s: Seconds for which an answer is given again; then it is erased.
        lease_s: Seconds after which a call may be made anew whose process has died.
        sweep_s: Seconds between two looks for what is to be erased.
    """

    folder: Path = Path("var/gateway")
    retention_s: Seconds = 24 * 3600.0
    lease_s: Seconds = 30.0
    sweep_s: Seconds = 600.0

    @property
    def database(self) -> str:
        """URL of the database in force."""
        return self.database_in("idempotency.db")
