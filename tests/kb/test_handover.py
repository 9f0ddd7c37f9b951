from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from kb.handover import Handover


@dataclass
class Resource:
    closed: int = 0

    def close(self) -> None:
        self.closed += 1


def test_what_is_replaced_stays_open_until_its_last_user_is_done() -> None:
    old, new = Resource(), Resource()
    handover = Handover(old)
    with handover.use() as first:
        with handover.use() as second:
            handover.replace(new)
            assert first is second is old
        assert old.closed == 0
        with handover.use() as third:
            assert third is new
    assert (old.closed, new.closed) == (1, 0)
    handover.replace(None)
    assert (old.closed, new.closed) == (1, 1)


def test_what_nobody_uses_is_closed_when_it_is_replaced() -> None:
    old = Resource()
    handover = Handover(old)
    handover.replace(None)
    assert old.closed == 1
    assert handover.current is None
    with handover.use() as nothing:
        assert nothing is None


def test_a_user_that_fails_is_done() -> None:
    old = Resource()
    handover = Handover(old)
    with pytest.raises(RuntimeError), handover.use():
        handover.replace(None)
        raise RuntimeError
    assert old.closed == 1


def test_each_of_many_replaced_under_many_threads_is_closed_once() -> None:
    made = [Resource() for _ in range(200)]
    handover = Handover(made[0])
    was_closed_in_use = []

    def use() -> None:
        for _ in range(2000):
            with handover.use() as resource:
                was_closed_in_use.append(resource is None or resource.closed)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for resource in made[1:]:
        handover.replace(resource)
    for thread in threads:
        thread.join()
    handover.replace(None)
    assert not any(was_closed_in_use)
    assert {resource.closed for resource in made} == {1}
