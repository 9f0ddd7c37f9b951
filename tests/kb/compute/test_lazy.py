from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kb.compute.lazy import Lazy

ASKERS = 8


def test_it_is_made_when_it_is_first_asked_for_and_once_for_all_who_ask_at_once() -> None:
    calls: list[object] = []
    together = threading.Barrier(ASKERS)

    def make() -> object:
        calls.append(object())
        return calls[-1]

    once = Lazy(make)
    assert not calls

    def ask(_: int) -> object:
        together.wait()
        return once()

    with ThreadPoolExecutor(ASKERS) as pool:
        given = list(pool.map(ask, range(ASKERS)))
    assert given == calls * ASKERS


def test_what_could_not_be_made_is_tried_again() -> None:
    answers = iter([OSError("not yet"), None])

    def make() -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    once = Lazy(make)
    with pytest.raises(OSError, match="not yet"):
        once()
    assert [once(), once()] == [None, None]
