"""A disk that fails at any step of a build costs that build and nothing else."""

from __future__ import annotations

import builtins
import errno
import io
import math
import os
import random
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from indexer.corpus.editing import add
from kb_cli.main import run
from support.crashes.workers import Workers
from support.library import Library, held, leftovers, markdown

_VARYING = re.compile(r"\d{8}T\w+-\w+|\d{3,}|MAIN_[a-z0-9]{10,}|\w+(?=\.ctmp)|(?<=\.toc\.)[\d.]+")
"""What is another in the name of the same file each time: generations, processes, Whoosh's segments and times."""


class FailingDisk:
    """Names what is asked of the disk below `root`, and refuses one of it. SQLite's own writes are not seen here.

    `fail_at` is one of the `steps` of another: threads take them in another order each time.
    """

    def __init__(
        self, root: Path, fail_at: tuple[str, int] | None = None, code: int = errno.ENOSPC
    ) -> None:
        self._root = str(root)
        self._fail_at = fail_at
        self._code = code
        self._lock = threading.Lock()
        self.steps: list[tuple[str, int]] = []
        """What was asked and of which file, and for the how manieth time."""

    def _take(self, name: str, place: str) -> None:
        if not place.startswith(self._root):
            return
        with self._lock:
            named = f"{name} {_VARYING.sub('*', Path(place).name)}"
            step = (named, 1 + sum(known == named for known, _ in self.steps))
            self.steps.append(step)
        if step == self._fail_at:
            raise OSError(self._code, os.strerror(self._code), place)

    @contextmanager
    def installed(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        disk = self

        class Writing:
            """A file open for writing, each write of which is a step."""

            def __init__(self, file: Any, path: str) -> None:
                self._file = file
                self._path = path

            def write(self, content: Any) -> Any:
                disk._take("write", self._path)
                return self._file.write(content)

            def __enter__(self) -> Writing:
                return self

            def __exit__(self, *_: object) -> None:
                self._file.close()

            def __iter__(self) -> Any:
                return iter(self._file)

            def __getattr__(self, name: str) -> Any:
                return getattr(self._file, name)

        real_open = io.open

        def opening(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            if isinstance(file, int) or not set(mode) & set("wax+"):
                return real_open(file, mode, *arguments, **options)
            path = os.fsdecode(file)
            disk._take("open", path)
            opened = real_open(file, mode, *arguments, **options)
            return Writing(opened, path) if path.startswith(disk._root) else opened

        def taking(name: str, real: Any) -> Any:
            def call(*arguments: Any, **options: Any) -> Any:
                place = arguments[0]
                if isinstance(place, int):
                    place = Path(f"/proc/self/fd/{place}").readlink()
                disk._take(name, os.fsdecode(place))
                return real(*arguments, **options)

            return call

        with monkeypatch.context() as patched:
            patched.setattr(builtins, "open", opening)
            patched.setattr(io, "open", opening)
            for name in ("fsync", "rename", "replace", "mkdir", "posix_fallocate", "sendfile"):
                patched.setattr(os, name, taking(name, getattr(os, name)))
            yield


def build(library: Library) -> int:
    return run(
        [
            *("build", "--index", str(library.index), "--corpus", str(library.corpus)),
            *("--model", library.model),
        ]
    )


# What Whoosh has open when it is interrupted is closed with the process.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_error_at_every_write_sync_and_rename_of_a_build(
    library: Library,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_long: bool,
) -> None:
    monkeypatch.setattr(
        "kb_cli.terminal.progress.QUIET_S", math.inf
    )  # however slow this machine is
    before = held(library.index)
    library.put("article-0", "another")
    counting = FailingDisk(tmp_path)
    trial = library.copy(tmp_path / "trial")
    with counting.installed(monkeypatch):
        assert build(trial) == 0
    assert held(trial.index) == library.texts
    kinds = {step.split()[0] for step, _ in counting.steps}
    assert kinds == {
        *("open", "write", "fsync", "rename", "replace", "mkdir", "posix_fallocate"),
        "sendfile",
    }
    chance = random.Random(4)
    for place, (step, times) in enumerate(counting.steps):
        seldom = step.split()[0] not in ("rename", "replace")
        if not is_long and seldom and chance.random() > 0.03:
            continue
        for code in (
            (errno.ENOSPC, errno.EIO) if is_long else (chance.choice((errno.ENOSPC, errno.EIO)),)
        ):
            shutil.rmtree(tmp_path / "copy", ignore_errors=True)
            copy = library.copy(tmp_path / "copy")
            there = copy.generations()
            capsys.readouterr()
            disk = FailingDisk(tmp_path, (step, times), code)
            with disk.installed(monkeypatch):
                status = build(copy)
            said = capsys.readouterr().err
            assert (step, times) in disk.steps
            found = held(copy.index)
            if status == 0:  # what is only a short cut for the next start may fail
                assert found == library.texts, step
                # ... and so may making a folder that is there.
                assert step.startswith(("sendfile", "mkdir")) or step.endswith(
                    (".json", ".tmp", "verified")
                ), step
            else:
                assert status == 1, (step, said)
                assert said.startswith("kb: "), (step, said)
                assert said.count("\n") == 1, (step, said)
                assert os.strerror(code) in said, (step, said)
                if found == before:
                    assert copy.generations() == there, step
            assert leftovers(copy.index) == [], step
            # Only after CURRENT has got its new content may the new generation be the live one.
            replaced = next(
                n for n, (s, _) in enumerate(counting.steps) if s.startswith("replace .CURRENT")
            )
            assert found == before or place > replaced or status == 0, step
            copy.build()
            assert held(copy.index) == library.texts, step


def test_a_disk_that_fills_up_under_sqlite_and_numpy(library: Library, tmp_path: Path) -> None:
    """The system itself refuses, by a limit to the size of any file, whoever writes."""
    before = held(library.index)
    library.put("article-0", "another")
    arguments = ["build", "--index", "", "--corpus", "", "--model", library.model]
    failed = 0
    with Workers(tmp_path / "log") as workers:
        for limit in (0, 1, 100, 128, 500, 1000, 2000, 4096, 8192, 12000, 20000, 60000, 1 << 30):
            copy = library.copy(tmp_path / f"copy-{limit}")
            there = copy.generations()
            arguments[2], arguments[4] = str(copy.index), str(copy.corpus)
            log = tmp_path / f"log-{limit}"
            workers.log = Path("/dev/null") if limit == 0 else log
            status = workers.run(copy, "command", arguments=arguments, limit=limit)
            if status == 0:
                assert held(copy.index) == library.texts, limit
            else:
                failed += 1
                assert status == 1, (limit, log.read_text() if log.exists() else "")
                assert held(copy.index) == before, limit
                assert copy.generations() == there, limit
                if limit > 500:
                    assert log.read_text().startswith("kb: "), log.read_text()
                    assert log.read_text().count("\n") == 1, log.read_text()
            assert leftovers(copy.index) == [], limit
    assert failed >= 5
    assert status == 0


def test_an_error_at_every_step_of_adding_an_article_leaves_the_corpus_as_it_was_or_with_it(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incoming = tmp_path / "news.md"
    incoming.write_text(markdown("news", "tea"))
    counting = FailingDisk(tmp_path)
    trial = library.copy(tmp_path / "trial")
    with counting.installed(monkeypatch):
        add([trial.corpus], [incoming])
    assert {step.split()[0] for step, _ in counting.steps} >= {"write", "fsync", "replace"}
    for place, step in enumerate(counting.steps):
        copy = library.copy(tmp_path / f"copy-{place}")
        before = sorted(path.name for path in copy.corpus.iterdir())
        with FailingDisk(tmp_path, step, errno.EIO).installed(monkeypatch), pytest.raises(OSError):
            add([copy.corpus], [incoming])
        after = sorted(path.name for path in copy.corpus.iterdir())
        assert after in (before, sorted([*before, "news.md"])), step
        assert (
            "news.md" not in after or (copy.corpus / "news.md").read_text() == incoming.read_text()
        )
