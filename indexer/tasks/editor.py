"""Changes that clients ask for, made in the corpus, each with a task that brings it into the index.

A change is judged against the corpus as the last accepted change left it. The task's row is committed right before the
first file is written, and says "accepted" once the last one is on disk. A process that is killed in between leaves a
row from which the next one goes on (`resume_all`). A refused change leaves no row.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from indexer.corpus.corpus_cache import CorpusCache
from indexer.corpus.editing import (
    Accepted,
    Edit,
    add,
    cached_corpus,
    put,
    remove,
)
from indexer.corpus.tombstones import writable_folder
from indexer.corpus.unpacking import Limits, unpack
from indexer.corpus.writable_corpus import WritableCorpus
from indexer.generations.last_build import last_build
from indexer.tasks.change import Change
from indexer.tasks.progress import TaskProgress
from indexer.tasks.refusals import Refused, as_refusals, no_article_in
from indexer.tasks.reports import report_of
from kb.schema.errors import IndexUnusable, KbError
from kb.schema.service import ArticleChange, Report
from kb.storage.generation import open_generation, pinned_generation
from kb.storage.sources import Sources
from kb.tasks.messages import (
    BulkRequest,
    ChangeRequest,
    DeleteRequest,
    KeyReused,
    PutRequest,
    RebuildRequest,
    Reply,
    SubmitTask,
    TaskAccepted,
    TooManyTasks,
    WorkerFailed,
)
from kb.tasks.store import MAX_ATTEMPTS, TaskStore
from kb.tasks.task import Task, TasksFull, new_task_id

logger = logging.getLogger(__name__)


class TaskEditor:
    """Takes changes into the corpus, one at a time. Safe to share between threads.

    `accepted` is called whenever the corpus has something new.
    """

    def __init__(self, index: Path, store: TaskStore, accepted: Callable[[], None]) -> None:
        self._index = index
        self._store = store
        self._accepted = accepted
        self._lock = threading.Lock()
        self._cache: CorpusCache[WritableCorpus] = cached_corpus(self._sources)

    def warm_up(self) -> None:
        """Look where all articles stand, so that the first change need not."""
        with self._lock, suppress(KbError, OSError):
            corpora = last_build(self._index).corpora
            with self._cache.locked(writable_folder(corpora)):
                self._cache.get(corpora)

    def submit(self, task: SubmitTask) -> Reply:
        """Make the change, or say why not."""
        with self._lock:
            try:
                return self._submit(task)
            except TasksFull:
                return TooManyTasks()
            except Refused as refused:
                return refused.reply
            except Exception as error:
                logger.exception("a change failed")
                return WorkerFailed(
                    f"The worker failed ({type(error).__name__}); its log says where."
                )

    def resume_all(self) -> None:
        """Go on with the changes that a process before this one began and did not end.

        Nobody was told that they were accepted. So those that cannot be made are forgotten; what there may be of them
        in the corpus comes into the index.
        """
        with self._lock:
            for task in self._store.in_state("queued"):
                try:
                    self._resume(task)
                except Refused as refused:
                    logger.warning("task %s is forgotten: %s", task.id, refused.reply.reason)
                    self._bring_up_to_date()
                except Exception:
                    logger.exception("task %s failed and is forgotten", task.id)
                    self._bring_up_to_date()
                self._store.discard(task.id)

    def _bring_up_to_date(self) -> None:
        if pinned_generation(self._index) is None:  # which a rebuild would end
            task_id = new_task_id()
            self._store.add(task_id, RebuildRequest())
            self._store.accept(task_id, report_of())
            self._accepted()

    def _submit(self, task: SubmitTask) -> Reply:
        known = self._store.find(task.task_id, task.owner, task.idempotency_key)
        if known is not None:
            if known.fingerprint != task.fingerprint:
                return KeyReused()
            if known.state == "queued":
                known = self._resume(known)
            return TaskAccepted(known.view(), known.digest, is_new=known.id == task.task_id)
        self._store.check_room(task.owner, task.idempotency_key, task.max_waiting)

        def begin() -> None:
            self._store.add(
                task.task_id,
                task.request,
                subject=task.subject,
                owner=task.owner,
                idempotency_key=task.idempotency_key,
                fingerprint=task.fingerprint,
            )

        change = Change(task.task_id, task.request, task.subject, begin)
        accepted = self._take(change)
        return TaskAccepted(accepted.view(), accepted.digest, is_new=True)

    def _resume(self, task: Task) -> Task:
        """Take in what an attempt that was cut off may have begun with. Raises Refused, and whatever fails."""
        self._store.begin([task.id])
        request = task.request
        if request is None or task.attempts >= MAX_ATTEMPTS or not self._is_whole(task.id, request):
            self._store.remove(task.id)
            raise Refused("unwritable", "What came in is not whole, or was begun too often.")
        return self._take(Change(task.id, request, task.subject, lambda: None, is_resumed=True))

    def _is_whole(self, task_id: str, request: ChangeRequest) -> bool:
        """Whether the files that came in are all on disk: nobody waited for that."""
        sent = request.files if isinstance(request, BulkRequest) else ()
        sent = (request.file,) if isinstance(request, PutRequest) else sent
        folder = self._store.received(task_id)
        try:
            return all(_sha256(folder / str(n)) == file.sha256 for n, file in enumerate(sent))
        except OSError:
            return False

    def _take(self, change: Change) -> Task:
        try:
            with as_refusals():
                report, digest = self._edit(change)
                task = self._store.accept(change.task_id, report, digest)
        except BaseException:
            if change.has_begun:
                with suppress(sqlite3.Error):
                    self._store.remove(change.task_id)
            raise
        self._accepted()
        return task

    def _edit(self, change: Change) -> tuple[Report, str | None]:
        """The report of the change once it is made, and the digest of the article put."""
        match change.request:
            case PutRequest() as request:
                return self._put(change, request)
            case DeleteRequest() as request:
                return self._delete(change, request), None
            case BulkRequest() as request:
                return self._add(change, request), None
            case _:
                change.begin()
                return report_of(), None

    def _put(self, change: Change, request: PutRequest) -> tuple[Report, str]:
        content = (self._store.received(change.task_id) / "0").read_bytes()

        def check(before: str | None, after: str | None) -> None:
            change.check(before, after, request.if_match, request.if_none_match)
            change.begin()

        accepted = put(
            last_build(self._index).corpora,
            change.subject,
            request.suffix,
            content,
            precondition=check,
            cache=self._cache,
        )
        return report_of((_changed(accepted),)), accepted.digest

    def _delete(self, change: Change, request: DeleteRequest) -> Report:
        def check(before: str | None, after: str | None) -> None:
            change.check(before, after, request.if_match)
            change.begin()

        corpora = last_build(self._index).corpora
        edit = remove(
            *(corpora, [change.subject]),
            precondition=check,
            cache=self._cache,
            because=request.because,
            see=request.see,
        )
        if edit.failures:
            raise edit.failures[0]
        # Resumed, it is not missing: the attempt that was cut off has removed it.
        if edit.missing and not change.is_resumed:
            raise Refused("missing", "There is no article with that id.")
        return report_of((ArticleChange(change.subject, "removed"),))

    def _add(self, change: Change, request: BulkRequest) -> Report:
        change.begin()
        received = self._store.received(change.task_id)
        sent = [(file.name, received / str(n)) for n, file in enumerate(request.files)]
        progress = TaskProgress(self._store, [change.task_id])
        progress.stage("unpack")
        shutil.rmtree(received / "unpacked", ignore_errors=True)  # of an attempt that was cut off
        limits = Limits(request.unpacked_max_bytes, request.max_files)
        found = unpack(sent, received / "unpacked", limits)
        names = dict(found.files)
        edit = Edit()
        if names:
            corpora = last_build(self._index).corpora
            places = {path: _inner_path(path, received / "unpacked") for path in names}
            edit = add(
                *(corpora, list(names)),
                progress=progress,
                names=names,
                places=places,
                cache=self._cache,
            )
        failures = [*found.failures, *edit.failures]
        if not edit.accepted:
            raise no_article_in(failures, found.passed_over)
        changes = [_changed(accepted) for accepted in edit.accepted]
        return report_of(changes, failures, found.passed_over)

    def _sources(self) -> Sources | None:
        """What the live generation knows of the corpora, which spares reading them."""
        try:
            folder, _, lease = open_generation(self._index)
            try:
                return Sources.load(folder)
            finally:
                lease.release()
        except IndexUnusable:
            return None


def _inner_path(path: Path, unpacked: Path) -> str:
    """The POSIX path that a file has in what was sent, of which each file and archive has a folder of its own."""
    return PurePosixPath(*path.relative_to(unpacked).parts[1:]).as_posix()


def _changed(accepted: Accepted) -> ArticleChange:
    if accepted.before is None:
        return ArticleChange(accepted.id, "added")
    same = accepted.before == accepted.digest
    return ArticleChange(accepted.id, "unchanged" if same else "changed")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
