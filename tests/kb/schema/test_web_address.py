from __future__ import annotations

import pytest

from kb.schema.web_address import host_name, web_address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/x",
        "http:",
        "https://[",
        "",
    ],
)
def test_only_web_addresses_become_links(address: str) -> None:
    assert web_address(address) == ""
    assert host_name(address) == ""


def test_a_web_address_is_kept_and_named_by_its_host() -> None:
    assert web_address(" https://www.nhs.uk/x ") == "https://www.nhs.uk/x"
    assert host_name("https://www.nhs.uk/x") == "nhs.uk"
