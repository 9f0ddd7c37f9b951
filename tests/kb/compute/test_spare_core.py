"""kb.compute.spare_core, with real threads"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kb.compute.spare_core import Alongside


@pytest.fixture
def alongside(monkeypatch: pytest.MonkeyPatch) -> Alongside:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    return Alongside()


def test_two_parts_are_at_work_at_the_same_time(alongside: Alongside) -> None:
    meeting = threading.Barrier(2, timeout=30)
    there = alongside.start(lambda: (meeting.wait(), threading.get_ident())[1])
    meeting.wait()  # which nobody passes alone
    assert there() == there() != threading.get_ident()


def test_while_it_is_busy_work_is_done_at_once_by_who_asks(alongside: Alongside) -> None:
    leave = threading.Event()
    busy = alongside.start(lambda: leave.wait(30))
    assert alongside.start(threading.get_ident)() == threading.get_ident()
    leave.set()
    assert busy() is True
    assert alongside.start(threading.get_ident)() != threading.get_ident()


def test_with_one_core_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    alongside = Alongside()
    assert alongside.start(threading.get_ident)() == threading.get_ident()
    alongside.close()


def test_an_error_reaches_who_asks_and_leaves_the_thread_free(alongside: Alongside) -> None:
    failed = alongside.start(lambda: 1 // 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            failed()
    assert alongside.start(threading.get_ident)() != threading.get_ident()


def test_many_who_ask_each_have_their_own_result(alongside: Alongside) -> None:
    def asked(number: int) -> int:
        later = alongside.start(lambda: number * number)
        return later()

    with ThreadPoolExecutor(8) as several:
        assert list(several.map(asked, range(500))) == [number * number for number in range(500)]


def test_a_closed_one_lets_its_thread_end(alongside: Alongside) -> None:
    threads: list[threading.Thread] = []
    alongside.start(lambda: threads.append(threading.current_thread()))()
    alongside.close()
    threads[0].join(timeout=30)
    assert not threads[0].is_alive()


def test_after_it_was_closed_work_is_done_by_who_asks(alongside: Alongside) -> None:
    alongside.close()
    for _ in range(2):
        assert alongside.start(threading.get_ident)() == threading.get_ident()
