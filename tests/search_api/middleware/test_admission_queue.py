from __future__ import annotations

import asyncio
import random

import pytest

from search_api.middleware.admission_queue import AdmissionQueue, QueueFull


def test_who_comes_first_is_served_first_and_one_too_many_is_turned_away() -> None:
    async def scenario() -> None:
        queue = AdmissionQueue(capacity=2, max_waiting=2)
        assert queue.acquire() is None
        assert queue.acquire() is None
        first, second = queue.acquire(), queue.acquire()
        assert first is not None
        assert second is not None
        assert (queue.active, queue.waiting, queue.is_full) == (2, 2, True)
        with pytest.raises(QueueFull):
            queue.acquire()
        queue.release()
        assert (first.done(), second.done(), queue.waiting) == (True, False, 1)
        assert queue.active == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("how", ["still waiting", "has a place", "was cancelled"])
def test_a_request_that_stops_waiting_keeps_no_place(how: str) -> None:
    async def scenario() -> None:
        queue = AdmissionQueue(capacity=1, max_waiting=5)
        queue.acquire()
        ticket = queue.acquire()
        assert ticket is not None
        if how == "has a place":
            queue.release()
        elif how == "was cancelled":
            ticket.cancel()
        queue.cancel(ticket)
        if how != "has a place":
            queue.release()
        assert (queue.active, queue.waiting) == (0, 0)
        assert queue.acquire() is None

    asyncio.run(scenario())


def test_places_are_neither_lost_nor_made_whatever_happens() -> None:
    async def visitor(queue: AdmissionQueue, chance: random.Random, peak: list[int]) -> None:
        await asyncio.sleep(chance.random() / 50)
        try:
            ticket = queue.acquire()
        except QueueFull:
            return
        try:
            if ticket is not None:
                await asyncio.wait((ticket,), timeout=chance.random() / 100)
                if not ticket.done() or chance.random() < 0.2:
                    queue.cancel(ticket)
                    return
        except asyncio.CancelledError:
            assert ticket is not None
            queue.cancel(ticket)
            raise
        peak[0] += 1
        peak[1] = max(peak)
        try:
            await asyncio.sleep(chance.random() / 200)
        finally:
            peak[0] -= 1
            queue.release()

    async def scenario(seed: int) -> None:
        chance, queue, peak = (
            random.Random(seed),
            AdmissionQueue(capacity=3, max_waiting=20),
            [0, 0],
        )
        visitors = [asyncio.create_task(visitor(queue, chance, peak)) for _ in range(150)]
        for task in chance.sample(visitors, 30):
            asyncio.get_running_loop().call_later(chance.random() / 30, task.cancel)
        await asyncio.gather(*visitors, return_exceptions=True)
        assert (queue.active, queue.waiting) == (0, 0)
        assert peak[1] <= 3

    for seed in range(5):
        asyncio.run(scenario(seed))
