"""What the client is told when a call to a backend fails."""

from typing import NoReturn

import grpc
import structlog

from bankai.errors import BankaiError, DeadlineError, ExhaustedError, UnavailableError
from bankai.interceptors import Context

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 1.0

# The connection is gone; or the server is going and did not take the call up. The gateway itself has not cancelled it.
_LOST = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
_TOO_LARGE = "CLIENT: Received message larger than max"


async def relay(error: grpc.aio.AioRpcError, context: Context) -> NoReturn:
    """Ends the client's call as the backend ended it: same code, message and trailers, details included.

    Raises:
        grpc.aio.AbortError: Always, unless
        BankaiError: the backend did not end it, but the way to it failed.
    """
    own = of_the_way(error)
    if own is not None:
        log.warning("the way to a service failed", reason=own.reason, grpc=error.details())
        raise own
    trailers = tuple(error.trailing_metadata())
    theirs = {key for key, _ in trailers}
    kept = tuple(item for item in context.trailing_metadata() or () if item[0] not in theirs)
    await context.abort(error.code(), error.details() or "", (*kept, *trailers))


def lost(error: grpc.aio.AioRpcError) -> bool:
    """Whether the backend could not be reached or was lost, and did not end the call itself."""
    return error.code() in _LOST and not error.trailing_metadata()


def unavailable() -> UnavailableError:
    """The backend cannot be reached or was lost during the call."""
    return UnavailableError(
        "BACKEND_UNAVAILABLE", "the service cannot be reached now; try again", retry_after=RETRY_AFTER_S
    )


def draining() -> UnavailableError:
    """This gateway is about to stop."""
    return UnavailableError("SERVER_DRAINING", "this gateway is going away; connect again", retry_after=RETRY_AFTER_S)


def of_the_way(error: grpc.aio.AioRpcError) -> BankaiError | None:
    """The error to answer where grpc made the status on this side of the connection, None where the backend sent it.

    grpc does not say which it was. A service of the house never ends a call without a trailer (x-request-id at least),
    and what grpc makes itself has none. The texts of grpc's own would give addresses away.
    """
    if error.trailing_metadata():
        return None
    code = error.code()
    if lost(error):
        return unavailable()
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineError("DEADLINE_EXCEEDED", "the call's deadline passed before the service answered")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and (error.details() or "").startswith(_TOO_LARGE):
        return ExhaustedError("MESSAGE_TOO_LARGE", "the service's answer is larger than the gateway lets through")
    return None
