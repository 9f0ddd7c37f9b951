"""Checks of web addresses."""

from __future__ import annotations

from urllib.parse import urlsplit


def web_address(address: str) -> str:
    """The address if it is http or https, otherwise an empty text: `javascript:` is never a link."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return ""
    return address.strip() if parts.scheme in ("http", "https") and parts.netloc else ""


def public_address(address: str) -> str:
    """The public address of a service, without a slash at its end, to put before links. An empty address stays empty.

    Raises ValueError, which says what is accepted, for an address that no link can begin with.
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
    """The host of a web address, without `www.`. Empty for any other address."""
    found = web_address(address)
    return (urlsplit(found).hostname or "").removeprefix("www.") if found else ""
