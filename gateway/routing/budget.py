"""How many attempts on top of the first ones a backend may get."""

_MAX_TOKENS = 40.0
_TOKENS_PER_SUCCESS = 0.1
_LEAST_FOR_RETRY = _MAX_TOKENS / 2
_LEAST_FOR_HEDGE = _MAX_TOKENS * 3 / 4


class RetryBudget:
    """The tokens of gRPC's retry throttling (gRFC A6), shared by retries and hedges.

    Every failed attempt and every hedge takes a token, every good answer gives a tenth of one, and there are retries
    only while more than half of the 40 are left: 20 at once, and then one for ten good answers. A backend that is down
    gets next to none. Hedges stop at three quarters, so that slowness leaves something for failures.
    """

    def __init__(self) -> None:
        self._tokens = _MAX_TOKENS

    def succeeded(self) -> None:
        """Notes a good answer."""
        self._tokens = min(self._tokens + _TOKENS_PER_SUCCESS, _MAX_TOKENS)

    def failed(self) -> None:
        """Notes an attempt that may be retried."""
        self._tokens = max(self._tokens - 1, 0.0)

    @property
    def allows_retry(self) -> bool:
        """Whether a failed attempt may be retried."""
        return self._tokens > _LEAST_FOR_RETRY

    def take_hedge(self) -> bool:
        """Takes a token for a hedge, if there may be one."""
        if self._tokens <= _LEAST_FOR_HEDGE:
            return False
        self._tokens -= 1
        return True
