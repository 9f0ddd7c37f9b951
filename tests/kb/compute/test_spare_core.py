"""kb.compute.spare_core, with real threads"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kb.compute.spare_core import SpareCore


@pytest.fixture
def spare_core(monkeypatch: pytest.MonkeyPatch) -> SpareCore:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    return SpareCore()


def test_two_parts_are_at_work_at_the_same_time(spare_core: SpareCore) -> None:
    meeting = threading.Barrier(2, timeout=30)
    there = spare_core.submit(lambda: (meeting.wait(), threading.get_ident())[1])
    meeting.wait()  # which nobody passes alone
    assert there() == there() != threading.get_ident()


def test_while_it_is_busy_work_is_done_at_once_by_who_asks(spare_core: SpareCore) -> None:
    leave = threading.Event()
    busy = spare_core.submit(lambda: leave.wait(30))
    assert spare_core.submit(threading.get_ident)() == threading.get_ident()
    leave.set()
    assert busy() is True
    assert spare_core.submit(threading.get_ident)() != threading.get_ident()


def test_with_one_core_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    spare_core = SpareCore()
    assert spare_core.submit(threading.get_ident)() == threading.get_ident()
    spare_core.close()


def test_an_error_reaches_who_asks_and_leaves_the_thread_free(spare_core: SpareCore) -> None:
    failed = spare_core.submit(lambda: 1 // 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            failed()
    assert spare_core.submit(threading.get_ident)() != threading.get_ident()


def test_many_who_ask_each_have_their_own_result(spare_core: SpareCore) -> None:
    def asked(number: int) -> int:
        later = spare_core.submit(lambda: number * number)
        return later()

    with ThreadPoolExecutor(8) as several:
        assert list(several.map(asked, range(500))) == [number * number for number in range(500)]


def test_a_closed_one_lets_its_thread_end(spare_core: SpareCore) -> None:
    threads: list[threading.Thread] = []
    spare_core.submit(lambda: threads.append(threading.current_thread()))()
    spare_core.close()
    threads[0].join(timeout=30)
    assert not threads[0].is_alive()


def test_after_it_was_closed_work_is_done_by_who_asks(spare_core: SpareCore) -> None:
    spare_core.close()
    for _ in range(2):
        assert spare_core.submit(threading.get_ident)() == threading.get_ident()
