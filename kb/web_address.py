"""Given an address out of an article, whether it leads to the web, and the host a reader knows it by."""

from __future__ import annotations

from urllib.parse import urlsplit


def web_address(address: str) -> str:
    """The address if it leads to the web, else nothing: `javascript:` is never a link."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return ""
    return address.strip() if parts.scheme in ("http", "https") and parts.netloc else ""


def host_name(address: str) -> str:
    """The host of a web address as a reader knows it, without `www.`; empty for any other."""
    found = web_address(address)
    return (urlsplit(found).hostname or "").removeprefix("www.") if found else ""
