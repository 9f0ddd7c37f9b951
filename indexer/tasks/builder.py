"""Builds for accepted tasks: one build for all whose changes the corpus has.

Those that come in during a build share the next one. The worker runs this as a process of its own, which gives way to
questions and to the taking in of changes:

    python -m indexer.tasks.builder INDEX [json]

With `json`, lines on stderr are JSON. Each line on its standard input says that there is work. It ends after a while
without any, and at once, whatever is under way, when that input ends with the process behind it: the next one begins
again.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from indexer.build.build import build
from indexer.build.request import BuildReport, BuildRequest
from indexer.maintenance.follow import Held, follow_corpus
from indexer.tasks.progress import TaskProgress
from indexer.tasks.reports import failure_text, rebuilt, report_of
from kb.reporting.logs import configure_logging
from kb.schema.errors import KbError
from kb.schema.service import Report
from kb.tasks.messages import RebuildRequest
from kb.tasks.store import MAX_ATTEMPTS, TaskStore
from kb.tasks.task import Task

logger = logging.getLogger(__name__)

MAX_IDLE_S = 30.0
"""Time without a task after which the process ends, in seconds. Starting again takes seconds."""

_LOOK_AGAIN_S = 1.0
AFTER_FAILURE_S = 5.0
"""Time in seconds until the tasks are looked at again, once that has failed."""
_WAIT_FOR_OTHER_BUILDS_S = 24 * 3600.0
_NICE = 10
_HELD = (
    "The index was rolled back and stays so: a rebuild takes what the corpus has gained into it."
)


class TaskBuilder:
    """Builds the index for the tasks whose articles are in the corpus."""

    def __init__(
        self, index: Path, store: TaskStore, after_failure_s: float = AFTER_FAILURE_S
    ) -> None:
        self._index = index
        self._store = store
        self._after_failure_s = after_failure_s

    def build_all(self) -> bool:
        """Build for the tasks that are accepted now; whether there were any. Does not raise."""
        try:
            tasks = self._store.in_state("accepted")
            if tasks:
                self._take(tasks)
            return bool(tasks)
        except Exception:
            # The tasks' own file fails, say: they stay as they are, and are looked at again.
            logger.exception("looking for tasks failed")
            time.sleep(self._after_failure_s)
            return True

    def _take(self, tasks: list[Task]) -> None:
        for task in tasks:
            if task.attempts >= MAX_ATTEMPTS:
                self._store.finish(task.id, error=_given_up(task))
        tasks = [task for task in tasks if task.attempts < MAX_ATTEMPTS]
        if not tasks:
            return
        self._store.begin([task.id for task in tasks])
        try:
            outcome = self._build(tasks)
        except (KbError, OSError, sqlite3.Error) as error:
            self._fail(tasks, failure_text(error))
        except Exception as error:
            logger.exception("building failed")
            self._fail(tasks, f"The worker failed ({type(error).__name__}); its log says where.")
        else:
            for task in tasks:
                self._store.finish(task.id, report=outcome(task))

    def _fail(self, tasks: list[Task], error: str) -> None:
        for task in tasks:
            taken = "" if task.kind == "rebuild" else "The corpus has it, the index does not: "
            self._store.finish(task.id, error=f"{taken}{error}")

    def _build(self, tasks: list[Task]) -> Callable[[Task], Report]:
        """Make the index hold what the corpus does; what each task's report is then."""
        progress = TaskProgress(self._store, [task.id for task in tasks])
        request = replace(
            BuildRequest.like_last(self._index),
            wait_s=_WAIT_FOR_OTHER_BUILDS_S,
            waiting=lambda _: progress.stage("wait for another build"),
            removed=[task.subject for task in tasks if task.kind == "delete"],
            replace=any(
                isinstance(task.request, RebuildRequest) and task.request.replace for task in tasks
            ),
        )
        if any(task.kind == "rebuild" for task in tasks):
            done: BuildReport | Held = build(request, progress)
        else:
            has_removed = any(_report(task).summary.removed for task in tasks)
            done = follow_corpus(request, progress, taken_out=() if has_removed else None)
        return partial(_outcome, done)


def _outcome(done: BuildReport | Held, task: Task) -> Report:
    """The report of a task once the index follows."""
    before = _report(task)
    if isinstance(done, Held):
        return replace(before, generation=done.generation, note=_HELD)
    if task.kind == "rebuild":
        return rebuilt(before, done)
    return replace(before, generation=done.generation)


def _report(task: Task) -> Report:
    return task.report or report_of()


def _given_up(task: Task) -> str:
    return f"Given up after {task.attempts} attempts, none of which came to an end: the worker was stopped each time."


def run(index: Path) -> None:
    """Build whenever a line comes on standard input; ends after `MAX_IDLE_S` without a task, or with that input."""
    woken = threading.Event()
    threading.Thread(target=_listen, args=(woken,), name="parent-watcher", daemon=True).start()
    _give_way()
    store = TaskStore(index)
    builder, busy = TaskBuilder(index, store), time.monotonic()
    while time.monotonic() - busy < MAX_IDLE_S:
        woken.clear()
        if builder.build_all():
            busy = time.monotonic()
        else:
            woken.wait(_LOOK_AGAIN_S)
    store.close()


def _listen(woken: threading.Event) -> None:
    # Not by sys.stdin: Python would abort at its end, where this thread waits with that one's lock.
    while os.read(0, 4096):
        woken.set()
    os._exit(0)  # nobody is there to work for; a build is left as a kill would leave it


def _give_way() -> None:
    """Questions come first: take what processor time they leave."""
    os.nice(_NICE)
    # Where the kernel shares out processor time by sessions (sched_autogroup_enabled), niceness counts within one
    # alone, and this is started in a session of its own: that has a niceness, too.
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_NICE), encoding="ascii")


if __name__ == "__main__":
    configure_logging("info", "json" if sys.argv[2:] == ["json"] else "text")
    run(Path(sys.argv[1]))
