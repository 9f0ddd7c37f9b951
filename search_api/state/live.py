"""Given an index folder, the knowledge base it holds now, while new generations are published.

A background thread looks at the folder about once a second. A new generation is opened and checked
in full beside the one being served, then takes its place; the old one is closed when the last
request that uses it has ended. A generation that does not open changes nothing but the state told
by `/healthz`; where nothing was served yet, the newest that verifies is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from kb.knowledge_base import KnowledgeBase, OnAnswer
from kb.ranking.reranker import Reranker
from kb.schema.article import today
from kb.schema.errors import IndexFormatMismatch, IndexMissing, IndexUnusable
from kb.storage.generation import current_generation, generation_path
from kb.storage.manifest import Manifest
from kb.text.language import load as load_language

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 30.0
"""A generation that did not open is hashed again no sooner than this: it may be large."""


@dataclass(slots=True)
class _Served:
    """One open knowledge base and how many requests use it. Guarded by `LiveIndex._lock`."""

    knowledge_base: KnowledgeBase
    users: int = 0
    retired: bool = False


@dataclass(frozen=True, slots=True)
class _Failure:
    generation: str
    error: IndexUnusable
    at: float


class LiveIndex:
    """Serves the newest generation that opens. Thread-safe.

    `start` opens what there is, and returns also when there is nothing; `close` ends the watching
    and closes the index once the requests under way have ended.
    """

    def __init__(
        self,
        path: Path,
        *,
        base_url: str = "",
        reranker: Reranker | None = None,
        poll_interval_s: float = 1.0,
        retry_after_s: float = RETRY_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._base_url = base_url
        self._reranker = reranker
        self._poll_interval_s = poll_interval_s
        self._retry_after_s = retry_after_s
        self.on_answer: OnAnswer | None = None
        """What is called with each answer; set it before `start`."""
        self._clock = clock
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._served: _Served | None = None
        self._failure: _Failure | None = None
        self._stopped = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="index-watcher", daemon=True)

    def start(self) -> None:
        """Open the current generation, if there is one, and begin to watch for others."""
        self.look()
        self._watcher.start()
        # Half a second of unpacking, for questions in another language alone: one that comes sooner waits for the rest.
        threading.Thread(target=load_language, name="language", daemon=True).start()

    def close(self) -> None:
        """Stop watching and let go of the index. The requests that use it are not disturbed."""
        self._stopped.set()
        if self._watcher.is_alive():
            self._watcher.join()
        self._replace(None)

    @contextmanager
    def use(self) -> Iterator[KnowledgeBase]:
        """The knowledge base, which stays open until the block ends.

        Raises the `IndexUnusable` that says why there is none.
        """
        with self._lock:
            served = self._served
            if served is None:
                raise _fresh(self._failure.error if self._failure else IndexMissing("no index"))
            served.users += 1
        try:
            yield served.knowledge_base
        finally:
            with self._lock:
                served.users -= 1
                last = served.retired and served.users == 0
            if last:
                served.knowledge_base.close()

    @property
    def failure(self) -> IndexUnusable | None:
        """Why the newest generation is not the one being served; None when it is."""
        with self._lock:
            return self._failure.error if self._failure else None

    def look(self) -> None:
        """Take over the generation that the folder names, if it is another and opens; then that is what is served."""
        with self._looking:
            self._look()

    def _look(self) -> None:
        try:
            wanted = current_generation(self.path)
        except IndexUnusable as error:
            if self._served is not None:
                self._fail("", error)
                return
            wanted = ""  # an older generation may be whole
        served = self._served.knowledge_base.generation if self._served else None
        if wanted == served and not self._has_expired():
            with self._lock:
                self._failure = None
            return
        failed = self._failure
        if (
            failed is not None
            and failed.generation == wanted
            and self._clock() - failed.at < self._retry_after_s
        ):
            return
        self._take_over(wanted, served)

    def _has_expired(self) -> bool:
        """Whether an article that is served was to be shown until today: the same generation is opened without it."""
        until = self._served.knowledge_base.shown_until if self._served else None
        return until is not None and until <= today()

    def _take_over(self, wanted: str, served: str | None) -> None:
        mismatch = _format_mismatch(self.path, wanted) if served is not None else None
        if mismatch is not None:
            # After an upgrade of the index, until this service is restarted: what would be fallen back to is served.
            self._fail(wanted, mismatch)
            return
        try:
            opened = _ready(self.path, self._base_url, self._reranker, self.on_answer)
        except IndexUnusable as error:
            self._fail(wanted, error)
            return
        except Exception as error:  # a broken index must never end the watching
            self._fail(wanted, IndexUnusable(f"{type(error).__name__} when opening {self.path}"))
            return
        if opened.generation == served and wanted != served:
            # Opening fell back to what is being served already.
            opened.close()
            self._fail(wanted, opened.damage or IndexUnusable(f"{wanted} does not open"))
            return
        self._replace(opened)
        logger.info("serving generation %s: %d articles", opened.generation, opened.article_count)
        if opened.damage is None:
            with self._lock:
                self._failure = None
        else:
            self._fail(wanted, opened.damage)

    def _replace(self, opened: KnowledgeBase | None) -> None:
        with self._lock:
            old = self._served
            self._served = _Served(opened) if opened is not None else None
            if old is not None:
                old.retired = True
            unused = old is not None and old.users == 0
        if old is not None and unused:
            old.knowledge_base.close()

    def _fail(self, generation: str, error: IndexUnusable) -> None:
        with self._lock:
            known = self._failure
            self._failure = _Failure(generation, error, self._clock())
        # Said once, not at every look.
        if known is None or (known.generation, str(known.error)) != (generation, str(error)):
            logger.warning("the index at %s cannot be taken over: %s", self.path, error)

    def _watch(self) -> None:
        while not self._stopped.wait(self._poll_interval_s):
            try:
                self.look()
            except Exception as error:  # as in _take_over; a full disk, say
                logger.error("looking for a new index failed: %s", type(error).__name__)


def _ready(
    path: Path, base_url: str, reranker: Reranker | None, on_answer: OnAnswer | None
) -> KnowledgeBase:
    """The knowledge base, checked in full, with everything loaded that some question would have to wait for."""
    opened = KnowledgeBase.open(
        path, verify="full", base_url=base_url, reranker=reranker, on_answer=on_answer
    )
    try:
        opened.warm_up()
    except BaseException:
        opened.close()
        raise
    return opened


def _format_mismatch(path: Path, generation_id: str) -> IndexFormatMismatch | None:
    """Why a generation cannot be read, where another version of the program wrote it. Costs a look at its manifest."""
    try:
        Manifest.load(generation_path(path, generation_id))
    except IndexFormatMismatch as error:
        return error
    except IndexUnusable:
        return None
    return None


def _fresh(error: IndexUnusable) -> IndexUnusable:
    """A copy to raise: one shared by many requests would gather all their tracebacks."""
    return type(error)(*error.args)


async def live_index(request: Request) -> LiveIndex:
    """The index of this application."""
    live: LiveIndex = request.app.state.live
    return live


Live = Annotated[LiveIndex, Depends(live_index)]
