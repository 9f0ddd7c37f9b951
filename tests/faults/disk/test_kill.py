"""A writer killed at any moment loses no index and no acknowledged article, and what it left is cleaned by the next."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.crashes.workers import Workers
from support.library import Library, held, leftovers, markdown


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    with Workers(tmp_path_factory.mktemp("workers") / "log") as opened:
        yield opened


def change(library: Library, chance: random.Random, number: int) -> None:
    """Add, change or remove an article behind the program's back."""
    name = f"article-{chance.randrange(8)}"
    if name in library.texts and len(library.texts) > 3 and chance.random() < 0.4:
        library.drop(name)
    else:
        library.put(name, f"word{number}")


def test_kill_at_random_moments(library: Library, workers: Workers, is_long: bool) -> None:
    chance = random.Random(5)
    library.put("article-0", "warm-up")
    assert workers.run(library, "build") == 0, workers.said()
    takes = {
        "build": 0.2,
        "gc": 0.02,
    }  # to begin with; then it follows what they take on this machine
    killed = {"build": 0, "gc": 0}
    goal = 200 if is_long else 10
    before = dict(library.texts)
    number = 0
    while sum(killed.values()) < goal:
        number += 1
        assert number < 10 * goal, (killed, takes)
        do = "gc" if number % 5 == 4 else "build"
        if do == "build":
            change(library, chance, number)
        status = workers.run(library, do, kill_after_s=chance.uniform(0, takes[do]))
        assert status in (0, -signal.SIGKILL), workers.said()
        killed[do] += status != 0
        takes[do] *= 1.05 if status else 0.85
        found = held(library.index)
        assert found in (before, library.texts), number
        if number % 3 == 2:
            library.build()
            assert held(library.index) == library.texts
            assert leftovers(library.index) == []
            assert len(library.generations()) <= 2
            found = dict(library.texts)
        before = found
    assert min(killed.values()) > 0


@pytest.mark.parametrize("do", ["build", "gc", "add", "remove"])
def test_kill_once_at_each_named_step(
    library: Library, workers: Workers, tmp_path: Path, do: str, is_long: bool
) -> None:
    incoming = tmp_path / "news.md"
    incoming.write_text(markdown("news", "tea"))
    more = {"paths": [str(incoming)], "ids": ["article-1"]}
    library.put("article-0", "another")

    def fresh(number: int | str) -> Library:
        return library.copy(tmp_path / f"copy-{number}")

    traced = fresh("traced")
    held(traced.index)  # as each copy's below, which leaves stamps of what it has verified
    trace = tmp_path / "trace"
    assert workers.run(traced, do, trace=str(trace), **more) == 0, workers.said()
    names = trace.read_text().split("\n")
    assert do != "build" or {"stage embed tokens", "stage publish", "replace CURRENT"} <= set(names)
    distinct = list(dict.fromkeys(names))
    chosen = distinct[::25] + [name for name in distinct if "CURRENT" in name or "rename" in name]
    places = range(len(names)) if is_long else sorted({names.index(name) for name in chosen})
    for place in places:
        copy = fresh(place)
        before = held(copy.index)
        step = (names[place], names[: place + 1].count(names[place]))
        status = workers.run(copy, do, kill_at=step, **more)
        assert status == -signal.SIGKILL, (names[place], workers.said())
        wanted = dict(copy.texts)
        if do == "add":
            wanted |= {"news": "tea"}
        if do == "remove":
            del wanted["article-1"]
        assert held(copy.index) in (before, wanted), names[place]
        said = workers.said()
        if "accepted news" in said:
            assert (copy.corpus / "news.md").read_text() == incoming.read_text(), names[place]
        if "removed article-1" in said:
            assert not (copy.corpus / "article-1.md").exists(), names[place]
        copy.build()
        there = {path.stem for path in copy.corpus.glob("[!.]*.md")}
        assert held(copy.index).keys() == there, names[place]
        assert leftovers(copy.index) == [], names[place]
        assert len(copy.generations()) <= 2
