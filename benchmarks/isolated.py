"""Running a function in a process of its own.

Load generators and floors need that: grpc.aio bears no second event loop, and what one side does must not slow the
other's interpreter.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def isolated(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Calls a function of a module in a fresh Python process and waits for what it returns.

    Args:
        function: What to call; it, its arguments and its result must be picklable.
        *args: Its arguments.
        **kwargs: Its arguments by name.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return await asyncio.wrap_future(pool.submit(function, *args, **kwargs))
        except asyncio.CancelledError:
            for process in active_children():  # else the pool would wait for the function's end
                process.terminate()
            raise
