"""Given a client's address, whether it may ask now: a token bucket for each client, in memory.

A bucket holds `burst` tokens and is filled at `rate` tokens a second; a request takes one. Each worker counts by
itself.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

MAX_CLIENTS = 65_536
"""Buckets kept, some 200 bytes each; above that the one that was used longest ago is forgotten, that is, full again."""


class RateLimit:
    """For one event loop: not safe to share between threads."""

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        max_clients: int = MAX_CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`rate` in requests a second, above 0; `burst` at least 1."""
        self._rate = rate
        self._burst = float(burst)
        self._max_clients = max_clients
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, as of when

    def wait_s(self, address: str) -> int:
        """Take a token for this client: 0 where there was one, else the whole seconds until there is, 1 or more."""
        client = client_of(address)
        now = self._clock()
        tokens, then = self._buckets.pop(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        wait = 0
        if tokens >= 1.0:
            tokens -= 1.0
        else:
            wait = max(1, math.ceil((1.0 - tokens) / self._rate))
        self._buckets[client] = (tokens, now)
        if len(self._buckets) > self._max_clients:
            self._buckets.popitem(last=False)
        return wait

    def __len__(self) -> int:
        """How many clients are remembered."""
        return len(self._buckets)


@lru_cache(maxsize=1024)
def client_of(address: str) -> str:
    """Who is behind an address: itself, or for IPv6 its /64, of which one household has all."""
    if ":" not in address:
        return address[:64]
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address[:64]
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(found) >> 64 << 64))
