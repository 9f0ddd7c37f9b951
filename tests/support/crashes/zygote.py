"""A process that has everything imported and does each piece of work in a child of its own, which may be killed.

Reads a line of JSON for each piece of work, answers with a line that holds the child's process id, and with another
that holds its exit status once it has ended. With `kill_at`, a name and a number, the child kills itself before the
step that has that name for the so manieth time; with `trace`, it writes the names of its steps to that file.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sys
import threading
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

from indexer.corpus.progress import Progress


def work(order: dict[str, Any]) -> None:
    from indexer.build.build import build
    from indexer.build.request import BuildRequest
    from indexer.corpus.editing import add, remove
    from indexer.generations.collect import collect
    from indexer.generations.lock import writer_lock
    from indexer.generations.publish import sweep
    from indexer.maintenance.prune import prune_cache

    index, corpus = Path(order["index"]), Path(order["corpus"])
    if order["do"] == "add":
        for accepted in add([corpus], [Path(path) for path in order["paths"]]).accepted:
            print(f"accepted {accepted.id}", flush=True)
    if order["do"] == "remove":
        for removed in remove([corpus], order["ids"]).removed:
            print(f"removed {removed}", flush=True)
    if order["do"] in ("add", "remove", "build"):
        build(
            BuildRequest(index, [corpus], order["model"], removed=order.get("ids", ())),
            StepProgress(),
        )
    if order["do"] == "gc":
        with writer_lock(index):
            sweep(index)
            collect(index, 1)
            prune_cache(index)


class Steps:
    """Names the steps of the process, in whatever thread, and ends it before one of them."""

    kill_at: tuple[str, int] | None = None
    names: list[str]

    def __init__(self) -> None:
        self.names = []
        self._lock = threading.Lock()

    def take(self, name: str) -> None:
        with self._lock:
            name = re.sub(r"\d{8}T\w+-\w+|\d{3,}|MAIN_\w+", "*", name)
            self.names.append(name)
            if (name, self.names.count(name)) == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


steps = Steps()


class StepProgress(Progress):
    def stage(self, name: str, total: int | None = None) -> None:
        steps.take(f"stage {name}")


def watch_steps() -> None:
    def taking(name: str, real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            place = arguments[1] if name in ("rename", "replace") else arguments[0]
            if isinstance(place, int):
                place = Path(f"/proc/self/fd/{place}").readlink()
            steps.take(f"{name} {Path(os.fsdecode(place)).name}")
            return real(*arguments, **options)

        return call

    for name in ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir"):
        setattr(os, name, taking(name, getattr(os, name)))


def child(order: dict[str, Any]) -> None:
    if order.get("limit") is not None:  # no file may grow beyond so many bytes: a disk that is full
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["limit"], order["limit"]))
    if order.get("trace") or order.get("kill_at") is not None:
        steps.kill_at = tuple(order["kill_at"]) if order.get("kill_at") else None
        watch_steps()
    with Path(order["log"]).open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    if order["do"] == "command":
        from kb_cli.main import run

        code = run(order["arguments"])
        sys.stdout.flush()
        os._exit(code)
    work(order)
    if order.get("trace"):
        Path(order["trace"]).write_text("\n".join(steps.names))
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[2]))  # for `support`
    for name in ("build.build", "corpus.editing", "generations.collect", "maintenance.prune"):
        import_module(f"indexer.{name}")
    for name in ("backup", "restore", "rollback", "status"):
        import_module(f"indexer.maintenance.{name}")
    import_module("kb_cli.main")
    # As for the tests themselves, see conftest.
    few_words = import_module("support.tiny").few_english_words
    import_module("indexer.writers.spelling").english_words = few_words

    warnings.simplefilter("ignore")
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            try:
                child(order)
            finally:
                import traceback

                traceback.print_exc()
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(70)
        print(json.dumps(pid), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)


if __name__ == "__main__":
    main()
