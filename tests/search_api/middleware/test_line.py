from __future__ import annotations

import asyncio
import random

import pytest

from search_api.middleware.line import Line, LineFull


def test_who_comes_first_is_served_first_and_one_too_many_is_turned_away() -> None:
    async def scenario() -> None:
        line = Line(places=2, max_waiting=2)
        assert line.enter() is None
        assert line.enter() is None
        first, second = line.enter(), line.enter()
        assert first is not None
        assert second is not None
        assert (line.at_work, line.waiting, line.is_full) == (2, 2, True)
        with pytest.raises(LineFull):
            line.enter()
        line.leave()
        assert (first.done(), second.done(), line.waiting) == (True, False, 1)
        assert line.at_work == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("how", ["still waiting", "has a place", "was cancelled"])
def test_whoever_gives_up_leaves_no_place_behind(how: str) -> None:
    async def scenario() -> None:
        line = Line(places=1, max_waiting=5)
        line.enter()
        turn = line.enter()
        assert turn is not None
        if how == "has a place":
            line.leave()
        elif how == "was cancelled":
            turn.cancel()
        line.give_up(turn)
        if how != "has a place":
            line.leave()
        assert (line.at_work, line.waiting) == (0, 0)
        assert line.enter() is None

    asyncio.run(scenario())


def test_places_are_neither_lost_nor_made_whatever_happens() -> None:
    async def visitor(line: Line, chance: random.Random, most: list[int]) -> None:
        await asyncio.sleep(chance.random() / 50)
        try:
            turn = line.enter()
        except LineFull:
            return
        try:
            if turn is not None:
                await asyncio.wait((turn,), timeout=chance.random() / 100)
                if not turn.done() or chance.random() < 0.2:
                    line.give_up(turn)
                    return
        except asyncio.CancelledError:
            assert turn is not None
            line.give_up(turn)
            raise
        most[0] += 1
        most[1] = max(most)
        try:
            await asyncio.sleep(chance.random() / 200)
        finally:
            most[0] -= 1
            line.leave()

    async def scenario(seed: int) -> None:
        chance, line, most = random.Random(seed), Line(places=3, max_waiting=20), [0, 0]
        visitors = [asyncio.create_task(visitor(line, chance, most)) for _ in range(150)]
        for task in chance.sample(visitors, 30):
            asyncio.get_running_loop().call_later(chance.random() / 30, task.cancel)
        await asyncio.gather(*visitors, return_exceptions=True)
        assert (line.at_work, line.waiting) == (0, 0)
        assert most[1] <= 3

    for seed in range(5):
        asyncio.run(scenario(seed))
