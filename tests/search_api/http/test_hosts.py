from __future__ import annotations

import pytest

from search_api.http.hosts import HostVerdict, TrustedHosts

MALFORMED, TRUSTED, UNTRUSTED = (
    HostVerdict.MALFORMED,
    HostVerdict.TRUSTED,
    HostVerdict.UNTRUSTED,
)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "",
            " ",
            "a b",
            "a/b",
            "a\\b",
            "a@b",
            "a?q=why",
            "a#b",
            "<b>",
            "a\x00",
            "a\n",
            "é",
            "a..b",
        ),
        *(".a", "-a", "a-", "a:", "a:b", "a:99999", "a:123456", "a:-1", "[", "[]", "[::1", "[::g]"),
        *("::1", "http://a", "a,b", "%61", "a" * 256),
    ],
)
def test_what_is_no_host_is_always_refused(host: str) -> None:
    for names in ((), ("kb.example.org", "*.example.net")):
        assert TrustedHosts(names).verdict([host.encode("utf-8")]) is MALFORMED


def test_two_hosts_are_none() -> None:
    assert TrustedHosts(()).verdict([b"a.example", b"a.example"]) is MALFORMED


@pytest.mark.parametrize(
    "host",
    ["a", "localhost:8000", "127.0.0.1", "[::1]:80", "KB.example.ORG", "kb.example.org.", "a_b"],
)
def test_without_names_every_well_formed_host_is_trusted(host: str) -> None:
    assert TrustedHosts(()).verdict([host.encode()]) is TRUSTED
    assert TrustedHosts(()).verdict([]) is TRUSTED


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("kb.example.org", TRUSTED),
        ("KB.Example.org.:8443", TRUSTED),
        ("a.example.net", TRUSTED),
        ("a.b.example.net:80", TRUSTED),
        ("[::1]:8000", TRUSTED),
        ("example.net", UNTRUSTED),
        ("badexample.net", UNTRUSTED),
        ("example.org", UNTRUSTED),
        ("kb.example.org.evil.example", UNTRUSTED),
        ("127.0.0.1", UNTRUSTED),
    ],
)
def test_with_names_these_alone_are_trusted(host: str, verdict: HostVerdict) -> None:
    hosts = TrustedHosts(("kb.example.org", "*.example.net", "[::1]"))
    assert hosts.verdict([host.encode()]) is verdict
    assert hosts.verdict([]) is UNTRUSTED
