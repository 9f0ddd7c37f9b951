"""Web addresses in articles: whether one leads to the web, and its host."""

from __future__ import annotations

from urllib.parse import urlsplit


def web_address(address: str) -> str:
    """The address if it leads to the web, else nothing: `javascript:` is never a link."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return ""
    return address.strip() if parts.scheme in ("http", "https") and parts.netloc else ""


def public_address(address: str) -> str:
    """The address of a service as citations' links begin with it, without a slash at its end; empty where it is.

    Raises ValueError, with what is accepted, where it could begin no link.
    """
    wanted = "it must be an http or https address, such as https://example.org/kb"
    try:
        parts = urlsplit(address)
    except ValueError:
        raise ValueError(wanted) from None
    if address and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise ValueError(wanted)
    if parts.query or parts.fragment:
        raise ValueError(f"{wanted}, without a query or a fragment")
    return address.rstrip("/")


def host_name(address: str) -> str:
    """The host of a web address as a reader knows it, without `www.`; empty for any other."""
    found = web_address(address)
    return (urlsplit(found).hostname or "").removeprefix("www.") if found else ""
