from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_api.middleware.rate_limit import RateLimit, client_of


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_rate_and_each_client_for_itself() -> None:
    clock = Clock()
    limit = RateLimit(2.0, 3, clock=clock)
    assert [limit.wait_s("a") for _ in range(4)] == [0, 0, 0, 1]
    assert limit.wait_s("b") == 0
    clock.now += 0.5
    assert [limit.wait_s("a") for _ in range(2)] == [0, 1]
    clock.now += 3600
    assert [limit.wait_s("a") for _ in range(4)] == [0, 0, 0, 1]


def test_the_wait_is_as_long_as_it_takes() -> None:
    clock = Clock()
    limit = RateLimit(0.1, 1, clock=clock)
    limit.wait_s("a")
    wait = limit.wait_s("a")
    assert wait == 10
    clock.now += wait
    assert limit.wait_s("a") == 0


@given(
    st.floats(0.1, 100),
    st.integers(1, 50),
    st.lists(st.floats(0, 2), max_size=200),
)
def test_never_more_than_the_burst_and_what_the_rate_gives(
    rate: float, burst: int, pauses: list[float]
) -> None:
    clock = Clock()
    limit = RateLimit(rate, burst, clock=clock)
    granted = 0
    for pause in pauses:
        clock.now += pause
        granted += limit.wait_s("a") == 0
    assert granted <= burst + rate * sum(pauses) + 1e-6


def test_clients_without_end_take_no_memory_without_end() -> None:
    limit = RateLimit(1.0, 1, max_clients=100)
    for number in range(1000):
        limit.wait_s(f"10.0.{number // 256}.{number % 256}")
    assert len(limit) == 100


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("x" * 500, "x" * 64),
        (":" * 500, ":" * 64),
        ("", ""),
    ],
)
def test_a_client_is_an_address_or_an_ipv6_network(address: str, client: str) -> None:
    assert client_of(address) == client
