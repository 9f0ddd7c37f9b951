"""Given the tasks of an index (`kb.tasks`), each done in its turn: first the corpus, then the index.

Two threads. One takes each task's articles into the corpus, or out of it, in the order in which tasks came in, which
takes milliseconds. The other builds the index for all tasks that have got so far: those that come in during a build
share the next one. Whoever kills the process loses nothing: what was not finished is begun again.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from indexer.build import BuildReport, build
from indexer.editing import Accepted, Edit, PreconditionFailed, add, put, remove
from indexer.progress import Progress
from indexer.remembered import remembered
from indexer.rollback import roll_back
from indexer.unpacking import Limits, Unpacked, unpack
from kb.errors import ArticleError, CorpusError, IndexUnusable, InvalidRequest, KbError
from kb.generation import current_generation, open_generation, pinned_generation
from kb.sources import Sources
from kb.tasks import Refusal, Task, TaskStore

logger = logging.getLogger(__name__)

ATTEMPTS = 5
"""So often is a task begun; one that the process does not survive must not stop all others for ever."""

_LOOK_AGAIN_S = 0.05
_SAY_AGAIN_S = 0.25
_AFTER_FAILURE_S = 5.0
_SWEEP_AGAIN_S = 600.0
_WAIT_FOR_LOCK_S = 3.0
_WAIT_FOR_OTHER_BUILDS_S = 24 * 3600.0
_WITHOUT_SUBJECT = ("is ", "has ", "holds ", "cannot ")
_LISTED = 1000
"""So many articles are named in a report; every failure is."""


def work(
    index: Path,
    *,
    idle_s: float | None = None,
    parent: int | None = None,
    stopped: threading.Event | None = None,
) -> bool:
    """Work at the tasks of the index; False where another process does already.

    Ends once there has been nothing to do for `idle_s` seconds; when `stopped` is set, after the build under way; and
    at once, whatever is under way, when the process `parent` is not the one above any more.
    """
    stopped = stopped or threading.Event()
    store = TaskStore(index)
    try:
        # Another may be just being killed, or looked at.
        deadline = time.monotonic() + _WAIT_FOR_LOCK_S
        while True:
            with store.working() as is_ours:
                if is_ours:
                    _work(index, store, idle_s, parent, stopped)
                    return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_AGAIN_S)
    finally:
        store.close()


def _work(
    index: Path,
    store: TaskStore,
    idle_s: float | None,
    parent: int | None,
    stopped: threading.Event,
) -> None:
    editor, builder = _Editor(index, store), _Builder(index, store)
    builder.start()
    busy, swept = time.monotonic(), -_SWEEP_AGAIN_S
    try:
        while not stopped.is_set():
            if parent is not None and os.getppid() != parent:
                os._exit(0)  # nobody is there to work for; a build is left as a kill would leave it
            if editor.take_one():
                busy = time.monotonic()
                continue
            if time.monotonic() - swept > _SWEEP_AGAIN_S:
                store.sweep()
                swept = time.monotonic()
            if builder.is_busy or store.has_work():
                busy = time.monotonic()
            elif idle_s is not None and time.monotonic() - busy > idle_s:
                break
            stopped.wait(_LOOK_AGAIN_S)
    finally:
        builder.stop()


class _Editor:
    """Takes what tasks bring into the corpus."""

    def __init__(self, index: Path, store: TaskStore) -> None:
        self._index = index
        self._store = store
        self._known: tuple[str, Sources] | None = None

    def take_one(self) -> bool:
        """Do the corpus's part of the oldest task that is queued; whether there was one."""
        task = self._store.next_queued()
        if task is None:
            return False
        self._store.begin([task.id])
        if task.attempts >= ATTEMPTS:
            self._store.finish(task.id, error=_given_up(task))
        else:
            self._attempt(task)
        self._store.discard(task.id)
        return True

    def _attempt(self, task: Task) -> None:
        try:
            report = self._edit(task)
        except PreconditionFailed as error:
            self._fail(task, str(error), "precondition")
        except ArticleError as error:
            self._fail(task, f"The article cannot be taken: {_as_clause(error.reason)}.", "invalid")
        except InvalidRequest as error:
            self._fail(task, str(error), "invalid")
        except _NoArticle as error:
            self._fail(task, str(error), "missing")
        except (KbError, OSError, sqlite3.Error) as error:
            self._fail(task, _in_words(error), "unwritable")
        except Exception as error:
            logger.exception("task %s failed", task.id)
            self._fail(task, f"The worker failed ({type(error).__name__}); its log says where.")
        else:
            self._store.accept(task.id, report)

    def _fail(self, task: Task, error: str, refusal: Refusal | None = None) -> None:
        self._store.finish(task.id, error=error, refusal=refusal)

    def _edit(self, task: Task) -> dict[str, Any]:
        match task.kind:
            case "put":
                return self._put(task)
            case "delete":
                return self._delete(task)
            case "rebuild":
                return _report()
            case "upload" | "import":
                return self._add(task)

    def _put(self, task: Task) -> dict[str, Any]:
        content = (self._store.received(task.id) / "0").read_bytes()
        accepted = put(
            self._corpora(),
            task.subject,
            task.wanted["suffix"],
            content,
            self._sources(),
            lambda before, after: _check(task, before, after),
        )
        return _report(accepted=(accepted,)) | {"digest": accepted.digest}

    def _delete(self, task: Task) -> dict[str, Any]:
        edit = remove(
            self._corpora(),
            [task.subject],
            self._sources(),
            lambda before, after: _check(task, before, after),
            because=task.wanted.get("because", ""),
            see=task.wanted.get("see", ""),
        )
        if edit.failures:
            raise edit.failures[0]
        if edit.missing and not task.attempts:  # else the attempt that was cut off has removed it
            raise _NoArticle("There is no article of that id.")
        return _report(removed=(task.subject,))

    def _add(self, task: Task) -> dict[str, Any]:
        received = self._store.received(task.id)
        sent = [(name, received / str(n)) for n, name in enumerate(task.wanted["files"])]
        progress = _TaskProgress(self._store, [task.id])
        progress.stage("unpack")
        shutil.rmtree(received / "unpacked", ignore_errors=True)  # of an attempt that was cut off
        found = unpack(sent, received / "unpacked", Limits(**task.wanted["limits"]))
        names = dict(found.files)
        edit = Edit()
        if names:
            places = {path: _inner_path(path, received / "unpacked") for path in names}
            edit = add(self._corpora(), list(names), self._sources(), progress, names, places)
        failures = [*found.failures, *edit.failures]
        return _report(accepted=edit.accepted, failures=failures, found=found)

    def _corpora(self) -> tuple[Path, ...]:
        return remembered(self._index).corpora

    def _sources(self) -> Sources | None:
        """What the live generation knows of the corpora, which spares reading them."""
        try:
            live = current_generation(self._index)
            if self._known is None or self._known[0] != live:
                folder, _, lease = open_generation(self._index)
                try:
                    self._known = (folder.name, Sources.load(folder))
                finally:
                    lease.release()
        except IndexUnusable:
            return None
        return self._known[1]


def _inner_path(path: Path, unpacked: Path) -> str:
    """The POSIX path that a file has in what was sent, of which each file and archive has a folder of its own."""
    return PurePosixPath(*path.relative_to(unpacked).parts[1:]).as_posix()


def _check(task: Task, before: str | None, after: str | None) -> None:
    """Raise PreconditionFailed unless the article that is there is one that the task was meant for."""
    if task.attempts and before == after:
        return  # it is there by the attempt that was cut off
    wanted = task.wanted.get("if_match")
    if wanted is not None and before is None:
        raise PreconditionFailed("There is no article of that id.")
    if wanted is not None and "*" not in wanted and before not in wanted:
        raise PreconditionFailed(
            "The article has changed since: read it again, and send what you make of that."
        )
    if task.wanted.get("if_none_match") and before is not None:
        raise PreconditionFailed("There is an article of that id already.")


class _NoArticle(Exception):
    """There is nothing to delete."""


class _Builder:
    """Builds the index for the tasks whose articles are in the corpus."""

    def __init__(self, index: Path, store: TaskStore) -> None:
        self._index = index
        self._store = store
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="index-builder", daemon=True)
        self.is_busy = False

    def start(self) -> None:
        """Begin to look for tasks."""
        self._thread.start()

    def stop(self) -> None:
        """Take no further task; returns when the build under way has ended."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_LOOK_AGAIN_S):
            try:
                tasks = self._store.in_state("accepted")
                if tasks:
                    self.is_busy = True
                    self._take(tasks)
            except (
                Exception
            ):  # the tasks' own file fails, say: they stay as they are, and are looked at again
                logger.exception("looking for tasks failed")
                self._stopped.wait(_AFTER_FAILURE_S)
            finally:
                self.is_busy = False

    def _take(self, tasks: list[Task]) -> None:
        for task in tasks:
            if task.attempts >= ATTEMPTS:
                self._store.finish(task.id, error=_given_up(task))
        tasks = [task for task in tasks if task.attempts < ATTEMPTS]
        if not tasks:
            return
        self._store.begin([task.id for task in tasks])
        try:
            outcome = self._build(tasks)
        except (KbError, OSError, sqlite3.Error) as error:
            self._fail(tasks, _in_words(error))
        except Exception as error:
            logger.exception("building failed")
            self._fail(tasks, f"The worker failed ({type(error).__name__}); its log says where.")
        else:
            for task in tasks:
                self._store.finish(task.id, report=(task.report or {}) | outcome(task))

    def _fail(self, tasks: list[Task], error: str) -> None:
        for task in tasks:
            taken = "" if task.kind == "rebuild" else "The corpus has it, the index does not: "
            self._store.finish(task.id, error=f"{taken}{error}")

    def _build(self, tasks: list[Task]) -> Callable[[Task], dict[str, Any]]:
        """Make the index hold what the corpus does; what each task's report gains by that."""
        progress = _TaskProgress(self._store, [task.id for task in tasks])
        pinned = pinned_generation(self._index)
        if pinned and not any(task.kind == "rebuild" for task in tasks):
            return self._keep_pinned(pinned, tasks, progress)
        before = remembered(self._index)
        report = build(
            self._index,
            before.corpora,
            before.model,
            progress,
            precision=before.precision,
            wait_s=_WAIT_FOR_OTHER_BUILDS_S,
            waiting=lambda _: progress.stage("wait for another build"),
            removed=[task.subject for task in tasks if task.kind == "delete"],
            replace=any(task.wanted.get("replace") for task in tasks if task.kind == "rebuild"),
        )
        rebuilt = _rebuilt(report)
        return lambda task: rebuilt if task.kind == "rebuild" else {"generation": report.generation}

    def _keep_pinned(
        self, pinned: str, tasks: list[Task], progress: Progress
    ) -> Callable[[Task], dict[str, Any]]:
        """An index that was rolled back stays so; but what was removed must not be found any longer."""
        generation = pinned
        if any((task.report or {})["summary"]["removed"] for task in tasks):
            progress.stage("publish")
            generation = roll_back(self._index, pinned, wait_s=_WAIT_FOR_OTHER_BUILDS_S).generation
        note = "The index was rolled back and stays so: a rebuild takes what the corpus has gained into it."
        return lambda _: {"generation": generation, "note": note}


class _TaskProgress(Progress):
    """Tells the tasks how far they are, a few times a second."""

    def __init__(self, store: TaskStore, task_ids: list[str]) -> None:
        self._store = store
        self._task_ids = task_ids
        self._name = ""
        self._total: int | None = None
        self._done = 0
        self._said = 0.0

    def stage(self, name: str, total: int | None = None) -> None:
        self._name, self._total, self._done = name, total, 0
        self._say()

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        if time.monotonic() - self._said >= _SAY_AGAIN_S:
            self._say()

    def note(self, message: str) -> None:
        logger.info(message)

    def _say(self) -> None:
        self._said = time.monotonic()
        self._store.progress(self._task_ids, self._name, self._done, self._total)


def _report(
    accepted: tuple[Accepted, ...] = (),
    removed: tuple[str, ...] = (),
    failures: list[ArticleError] | None = None,
    found: Unpacked | None = None,
) -> dict[str, Any]:
    """What became of the articles of a task: each by its id, in numbers, and every failure with its reason."""
    changes = [{"id": each.id, "change": _change(each)} for each in accepted]
    changes += [{"id": article_id, "change": "removed"} for article_id in removed]
    passed_over = found.passed_over if found else []
    count = dict.fromkeys(("added", "changed", "unchanged", "removed"), 0)
    for each in changes:
        count[each["change"]] += 1
    return {
        "articles": changes[:_LISTED],
        "left_out": max(0, len(changes) - _LISTED),
        "failures": [
            {"file": each.path, "line": each.line, "reason": each.reason} for each in failures or []
        ],
        "passed_over": [{"file": name, "reason": reason} for name, reason in passed_over],
        "summary": {
            "added": count["added"],
            "changed": count["changed"],
            "removed": count["removed"],
            "skipped": count["unchanged"] + len(passed_over),
            "failed": len(failures or []),
        },
    }


def _rebuilt(report: BuildReport) -> dict[str, Any]:
    """The report of a rebuild, whose articles are all those of the corpus."""
    changes = asdict(report.changes)
    summary = {name: changes[name] for name in ("added", "changed", "removed", "failed")}
    summary["skipped"] = changes["unchanged"] + changes["hidden"]
    failures = [
        {"file": Path(each.path).name, "line": each.line, "reason": each.reason}
        for each in report.failures
    ]
    return {"generation": report.generation, "summary": summary, "failures": failures}


def _change(accepted: Accepted) -> str:
    if accepted.before is None:
        return "added"
    return "unchanged" if accepted.before == accepted.digest else "changed"


def _given_up(task: Task) -> str:
    return f"Given up after {task.attempts} attempts, none of which came to an end: the worker was stopped each time."


def _as_clause(reason: str) -> str:
    """An ArticleError's reason, which may be worded to follow a file's name, with a subject of its own."""
    return f"it {reason}" if reason.startswith(_WITHOUT_SUBJECT) else reason


def _in_words(error: Exception) -> str:
    if isinstance(error, CorpusError | KbError):
        return str(error)
    if isinstance(error, OSError):
        return f"The disk failed: {error.strerror or type(error).__name__}."
    return "The tasks' own file cannot be written."
