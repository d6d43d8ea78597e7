"""Follows the gateway's certificates for its backends."""

import asyncio

from bankai.watched import PERIOD_S
from gateway.routing.table import RouteTable


async def renew(table: RouteTable) -> None:
    """Opens the channels anew when their certificates change, until cancelled."""
    while True:
        await asyncio.sleep(PERIOD_S)
        await table.renew()
