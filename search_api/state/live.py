"""The live index of a service: the newest generation that opens, replaced while requests run.

A background thread checks the folder about once a second. A new generation is opened and verified in full beside the
one being served, then takes its place. The old one is closed when its last request has ended. A generation that does
not open changes only what `/healthz` reports. Where nothing is served yet, the newest generation that verifies is
opened.
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

from kb.handover import Handover
from kb.knowledge_base import KnowledgeBase, OnAnswer
from kb.ranking.reranker import Reranker
from kb.schema.article import today
from kb.schema.errors import IndexFormatMismatch, IndexMissing, IndexUnusable
from kb.storage.generation import current_generation, generation_path
from kb.storage.manifest import Manifest
from kb.text.language import load as load_language
from search_api.http.parts import part

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 30.0
"""Minimum seconds before a generation that did not open is hashed again: it may be large."""


@dataclass(frozen=True, slots=True)
class _Failure:
    generation: str
    error: IndexUnusable
    at: float


class LiveIndex:
    """Serves the newest generation that opens. Thread-safe.

    `start` opens the index, and also returns where there is none. `close` ends the watching, and closes the index once
    the requests under way have ended.
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
        """Called with each answer. Set it before `start`."""
        self._clock = clock
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._served: Handover[KnowledgeBase] = Handover()
        self._failure: _Failure | None = None
        self._stopped = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="index-watcher", daemon=True)

    def start(self) -> None:
        """Open the current generation, if there is one, and begin to watch for newer ones."""
        self.refresh()
        self._watcher.start()
        # Half a second of unpacking, for questions in another language alone: one that comes sooner waits for the rest.
        threading.Thread(target=load_language, name="language", daemon=True).start()

    def close(self) -> None:
        """Stop watching and close the index. Requests under way are not disturbed."""
        self._stopped.set()
        if self._watcher.is_alive():
            self._watcher.join()
        self._served.replace(None)

    @contextmanager
    def use(self) -> Iterator[KnowledgeBase]:
        """The knowledge base, which stays open until the block ends.

        Raises the `IndexUnusable` that says why there is none.
        """
        with self._served.use() as knowledge_base:
            if knowledge_base is None:
                raise _fresh(self.failure or IndexMissing("no index"))
            yield knowledge_base

    @property
    def failure(self) -> IndexUnusable | None:
        """Why the newest generation is not being served; None when it is."""
        with self._lock:
            return self._failure.error if self._failure else None

    def refresh(self) -> None:
        """Serve the generation that the folder names, if it is a new one and opens."""
        with self._looking:
            self._look()

    def _look(self) -> None:
        try:
            wanted = current_generation(self.path)
        except IndexUnusable as error:
            if self._served.current is not None:
                self._fail("", error)
                return
            wanted = ""  # an older generation may be whole
        current = self._served.current
        served = current.generation if current is not None else None
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
        """Whether a served article has expired: the same generation is then opened again without it."""
        current = self._served.current
        until = current.shown_until if current is not None else None
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
        self._served.replace(opened)
        logger.info("serving generation %s: %d articles", opened.generation, opened.article_count)
        if opened.damage is None:
            with self._lock:
                self._failure = None
        else:
            self._fail(wanted, opened.damage)

    def _fail(self, generation: str, error: IndexUnusable) -> None:
        with self._lock:
            known = self._failure
            self._failure = _Failure(generation, error, self._clock())
        # Said once, not at every look.
        if known is None or (known.generation, str(known.error)) != (generation, str(error)):
            logger.warning("the index at %s cannot be served: %s", self.path, error)

    def _watch(self) -> None:
        while not self._stopped.wait(self._poll_interval_s):
            try:
                self.refresh()
            except Exception as error:  # as in _take_over; a full disk, say
                logger.error("checking for a new index failed: %s", type(error).__name__)


def _ready(
    path: Path, base_url: str, reranker: Reranker | None, on_answer: OnAnswer | None
) -> KnowledgeBase:
    """The knowledge base, verified in full, with everything loaded that a question would otherwise wait for."""
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
    """The error of a generation that another version of the program wrote; None otherwise. Reads its manifest."""
    try:
        Manifest.load(generation_path(path, generation_id))
    except IndexFormatMismatch as error:
        return error
    except IndexUnusable:
        return None
    return None


def _fresh(error: IndexUnusable) -> IndexUnusable:
    """A copy of the error to raise: an instance shared by many requests would gather all their tracebacks."""
    return type(error)(*error.args)


async def live_index(request: Request) -> LiveIndex:
    """The index of this application. A coroutine, since all threads may be busy with questions."""
    return part(request, LiveIndex)


Live = Annotated[LiveIndex, Depends(live_index)]
