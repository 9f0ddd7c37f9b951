"""Progress of a build, as bars on a terminal or lines in a log."""

from __future__ import annotations

import sys
import time
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from indexer.corpus.progress import Progress

QUIET_S = 10.0
"""Time in seconds between two lines of a log."""


def make_progress() -> Progress:
    """Bars on a terminal. Elsewhere a line every 10 seconds: nothing for a quick build."""
    from indexer.corpus.progress import Progress

    class Lines(Progress):
        name, total, done = "", None, 0
        began = said = time.monotonic()

        def stage(self, name: str, total: int | None = None) -> None:
            self.name, self.total, self.done = name, total, 0
            self.began = time.monotonic()
            if total is None:
                self._say()
            else:
                # "split: 0 of 26" would stand there as if the time before, in which a model was exported, were its own.
                self.said = self.began

        def advance(self, steps: int = 1) -> None:
            self.done += steps
            self._say()

        def note(self, message: str) -> None:
            click.echo(message, err=True)

        def _say(self) -> None:
            now = time.monotonic()
            if now - self.said < QUIET_S:
                return
            self.said = now
            click.echo(how_far(self.name, self.done, self.total, now - self.began), err=True)

    return _bars() if sys.stderr.isatty() else Lines()


def how_far(name: str, done: int, total: int | None, seconds: float) -> str:
    """A stage in words: how much is done, and the estimated time for the rest."""
    if not total:
        return f"{name}: {done:,}" if done else name
    share = f"{name}: {done:,} of {total:,}"
    if not done or done >= total:
        return share
    left = seconds / done * (total - done)
    return (
        f"{share}, about {left / 60:.0f} min left"
        if left >= 90
        else f"{share}, about {left:.0f} s left"
    )


def _bars() -> Progress:
    from tqdm import tqdm

    from indexer.corpus.progress import Progress

    class Bars(Progress):
        bar: tqdm[Any] | None = None

        def stage(self, name: str, total: int | None = None) -> None:
            self.close()
            columns, lines = get_terminal_size()  # which is never 0: of such tqdm shows nothing
            self.bar = tqdm(
                desc=f"{name:>20}",
                total=total,
                unit="",
                file=sys.stderr,
                mininterval=0.2,
                ncols=columns,
                nrows=lines,
            )

        def advance(self, steps: int = 1) -> None:
            if self.bar is not None:
                self.bar.update(steps)

        def note(self, message: str) -> None:
            tqdm.write(message, file=sys.stderr)

        def close(self) -> None:
            if self.bar is not None:
                self.bar.close()
                self.bar = None

    return Bars()
