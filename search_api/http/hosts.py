"""Trusted hosts: whether the service accepts the name in `Host`.

Pages contain links made from that name, and a site that points its own name at this machine (DNS rebinding) sends that
name. So a malformed `Host` is always refused. If `KB_TRUSTED_HOSTS` names hosts, all others are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum, auto
from functools import lru_cache

_HOST = re.compile(
    r"(?P<name>[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE,
)
_LONGEST = 255
_LARGEST_PORT = 65535


class HostVerdict(Enum):
    """What to do with a request for a host."""

    TRUSTED = auto()
    UNTRUSTED = auto()
    MALFORMED = auto()


class TrustedHosts:
    """Checks `Host` headers. `names` are lower case, without a port, such as `kb.example.org` and `*.example.org`.

    Without any name, every well-formed host is trusted.
    """

    def __init__(self, names: Iterable[str]) -> None:
        every = frozenset(names)
        self._exact = frozenset(name for name in every if not name.startswith("*"))
        self._endings = tuple(name[1:] for name in every if name.startswith("*"))
        self._verdict = lru_cache(maxsize=256)(self._judge)

    def verdict(self, hosts: list[bytes]) -> HostVerdict:
        """`hosts` are the values of a request's `Host` headers: one, or none with HTTP/1.0."""
        if len(hosts) > 1 or (hosts and len(hosts[0]) > _LONGEST):
            return HostVerdict.MALFORMED
        return self._verdict(hosts[0] if hosts else None)

    def _judge(self, host: bytes | None) -> HostVerdict:
        if host is None:
            open_to_all = not (self._exact or self._endings)
            return HostVerdict.TRUSTED if open_to_all else HostVerdict.UNTRUSTED
        found = _HOST.fullmatch(host.decode("latin-1"))
        if found is None or ".." in found["name"] or int(found["port"] or 0) > _LARGEST_PORT:
            return HostVerdict.MALFORMED
        name = found["name"].lower().rstrip(".")
        if not (self._exact or self._endings):
            return HostVerdict.TRUSTED
        trusted = name in self._exact or name.endswith(self._endings)
        return HostVerdict.TRUSTED if trusted else HostVerdict.UNTRUSTED
