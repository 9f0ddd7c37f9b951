"""Where the steps of a build run: in this process, or wherever another executor sends them.

A step is a function of one batch that can be pickled with its batch, and that knows nothing of the index. Articles
become passages (`indexer.passages.steps`), and texts become vectors (`indexer.embedding.batches.Embed`). The cache, the
order of rows and all files stay with the driver.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

Batch = TypeVar("Batch")
Result = TypeVar("Result")


class Executor(Protocol):
    """Runs a step on batches."""

    def map(
        self, step: Callable[[Batch], Result], batches: Iterable[Batch], lanes: int = 0
    ) -> Iterator[Result]:
        """The result of each batch, in the order of the batches, which are read as they are needed.

        `lanes` is how many batches the step takes at the same time on one machine; 0 is one, while the caller waits.
        """


class LocalExecutor:
    """Runs steps in this process, in threads."""

    def map(
        self, step: Callable[[Batch], Result], batches: Iterable[Batch], lanes: int = 0
    ) -> Iterator[Result]:
        """As of Executor. With lanes, the caller uses results while further batches are computed."""
        if not lanes:
            yield from map(step, batches)
            return
        pool = ThreadPoolExecutor(lanes)
        try:
            pending: deque[Future[Result]] = deque()
            for batch in batches:
                pending.append(pool.submit(step, batch))
                if len(pending) > 2 * lanes:
                    yield pending.popleft().result()
            for future in pending:
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)
