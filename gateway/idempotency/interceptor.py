"""Answers a call that is made twice with one idempotency key as it was answered the first time."""

import asyncio
import re
from contextlib import suppress
from typing import Any

import grpc

from bankai.errors import BankaiError, InvalidRequestError, UnavailableError, UnsupportedError
from bankai.interceptors import CallInfo, Context
from bankai.interceptors import request_id as request_ids
from bankai.interceptors.base import BaseInterceptor, Behaviour, Continuation, Handler, MethodHandler
from bankai.leases import LeaseLostError, under_lease
from gateway.aborting import before_abort
from gateway.authn.caller import current_caller
from gateway.idempotency.store import Answer, AnswerStore, Claim
from gateway.metadata import REPLAY_TRAILER
from gateway.routing.methods import Methods

HEADER = "idempotency-key"

_KEY = re.compile(r"[!-~]{1,128}")
_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5
_RETRY_AFTER_S = 1.0


class IdempotencyInterceptor(BaseInterceptor):
    """Serves unary calls with metadata `idempotency-key`. Belongs innermost, just around the proxy.

    The first call of a channel with a method and a key is made, and its answer kept if it is OK; the same request again
    gets that answer, with `x-idempotent-replay: true` in the trailers, or waits for it while the first is under way.
    An error, a cancellation included, gives the key back.

    Args:
        store: Where answers are kept; None where that is turned off.
        methods: Which of them are unary.
    """

    def __init__(self, store: AnswerStore | None, methods: Methods) -> None:
        self._store = store
        self._methods = methods

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> MethodHandler | None:
        """Waits until the method's kind is known, by which the proxy then chooses how to relay the call."""
        if any(name == HEADER for name, _ in handler_call_details.invocation_metadata or ()):
            await self._methods.learned(handler_call_details.method)
        return await super().intercept_service(continuation, handler_call_details)

    def wrap(self, handler: Handler) -> None:
        """Makes the call under its key.

        What it raises beside the call's own errors: InvalidRequestError (IDEMPOTENCY_KEY_INVALID,
        IDEMPOTENCY_UNARY_ONLY), ConflictError (IDEMPOTENCY_KEY_REUSED), UnsupportedError (IDEMPOTENCY_OFF) and
        UnavailableError (IDEMPOTENCY_KIND_UNKNOWN, IDEMPOTENCY_CLAIM_LOST, STORE_UNAVAILABLE).
        """
        call, behaviour = handler.call, handler.behaviour
        keys = [value for name, value in call.metadata if name == HEADER]
        if not keys or not self._methods.is_routed(call.service):
            return

        async def wrapped(request: Any, context: Context) -> Any:
            if len(keys) != 1 or not isinstance(keys[0], str) or not _KEY.fullmatch(keys[0]):
                raise InvalidRequestError(
                    "IDEMPOTENCY_KEY_INVALID", "idempotency-key must be one value of 1 to 128 visible ASCII characters"
                )
            store = self._usable(call)
            claim = Claim.of(current_caller().channel, call.method, keys[0], request)
            return await _once(store, claim, behaviour, request, context)

        handler.behaviour = wrapped

    def _usable(self, call: CallInfo) -> AnswerStore:
        if call.kind != "unary":
            if self._methods.known(call.method) is None:
                raise UnavailableError(
                    "IDEMPOTENCY_KIND_UNKNOWN",
                    "idempotency-key needs a unary method, and whether it is one cannot be learned now; try again",
                    retry_after=_RETRY_AFTER_S,
                )
            raise InvalidRequestError(
                "IDEMPOTENCY_UNARY_ONLY", "idempotency-key works with unary methods only; leave it out for streams"
            )
        if self._store is None:
            raise UnsupportedError("IDEMPOTENCY_OFF", "this gateway keeps no answers; leave idempotency-key out")
        return self._store


async def _once(store: AnswerStore, claim: Claim, behaviour: Behaviour, request: bytes, context: Context) -> bytes:
    attempt = _Attempt(store, claim)
    try:
        kept = await _claimed(store, claim)
    except asyncio.CancelledError:  # it may have been granted in the same moment
        await attempt.give_back()
        raise
    if kept is not None:
        context.set_trailing_metadata((*kept.trailers, (REPLAY_TRAILER, "true")))
        return kept.message
    making = behaviour(request, before_abort(context, attempt.aborted))
    try:
        message: bytes = await under_lease(making, store.lease_s, attempt.renew)
    except LeaseLostError:
        raise _lost() from None
    except BaseException:
        await attempt.give_back()
        raise
    trailers = [item for item in context.trailing_metadata() or () if item[0] != request_ids.HEADER]
    # To its end, though the call may be cancelled: who goes away before the answer is the one to ask again.
    if not await asyncio.shield(store.keep(claim, Answer(message, trailers))):
        raise _lost()
    return message


class _Attempt:
    """One making of a call."""

    def __init__(self, store: AnswerStore, claim: Claim) -> None:
        self._store = store
        self._claim = claim
        self._given_back = False

    async def renew(self) -> bool:
        return self._given_back or await self._store.renew(self._claim)

    async def aborted(self, *_status: object) -> None:
        """The key is free once the client hears of the error: it may use it for another request at once."""
        await self.give_back()

    async def give_back(self) -> None:
        if not self._given_back:
            self._given_back = True
            with suppress(BankaiError):  # else the lease runs out
                await asyncio.shield(self._store.release(self._claim))


async def _claimed(store: AnswerStore, claim: Claim) -> Answer | None:
    """Waits until the call is this one's to make, or is answered; the call's deadline ends it."""
    pause = _FIRST_PAUSE_S
    while True:
        found = await store.claim(claim)
        if isinstance(found, Answer):
            return found
        if found:
            return None
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_S)


def _lost() -> UnavailableError:
    return UnavailableError(
        "IDEMPOTENCY_CLAIM_LOST",
        "another call with this idempotency key has taken over; try again for its answer",
        retry_after=_RETRY_AFTER_S,
    )
