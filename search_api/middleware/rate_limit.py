"""Rate limiting by client: one token bucket for each client address, in memory.

A bucket holds `burst` tokens and is refilled at `rate` tokens a second. A request takes one token. Each worker counts
for itself.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

MAX_CLIENTS = 65_536
"""Maximum number of buckets, some 200 bytes each. Above it, the least recently used client is forgotten."""


class RateLimit:
    """Token buckets by client. For one event loop: not safe to share between threads."""

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
        """Take a token for this client. Returns 0, or the whole seconds until there is a token, 1 or more."""
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
        """Number of clients with a bucket."""
        return len(self._buckets)


@lru_cache(maxsize=1024)
def client_of(address: str) -> str:
    """The client behind an address: the address itself, or for IPv6 its /64, since one household has all of that."""
    if ":" not in address:
        return address[:64]
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address[:64]
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(found) >> 64 << 64))
