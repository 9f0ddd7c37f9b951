"""`kb work`: the tasks that a service has accepted, done one after the other."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import click

from kb.cli.ending import told_by_the_log
from kb.cli.options import index_option

_NICE = 10


@click.command()
@index_option
@click.option(
    "--idle",
    "idle_s",
    type=click.FloatRange(min=0),
    help="End after so many seconds without work; by default never.",
)
@click.option(
    "--parent", type=int, help="End when the process of this id is not the parent any more."
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"], case_sensitive=False),
    default="text",
    envvar="KB_LOG_FORMAT",
    show_default=True,
    show_envvar=True,
    help="How lines on stderr are written; `json`: each an object.",
)
def work(index: Path, idle_s: float | None, parent: int | None, log_format: str) -> None:
    """Take the articles that were sent to the service into the corpus and the index, until stopped.

    `kb serve` starts this by itself while there is work. Run it by hand where the service is installed without what
    building needs. One process works at a time; what it leaves unfinished the next one does.
    """
    from search_api.logs import announce

    with told_by_the_log(log_format):
        from indexer.worker import work as work_at

        _give_way()
        if not work_at(index, idle_s=idle_s, parent=parent):
            announce(f"Another process works at the tasks of {index}.")


def _give_way() -> None:
    """Questions come first: take what processor time they leave."""
    os.nice(_NICE)
    # Where the kernel shares out processor time by sessions (sched_autogroup_enabled), niceness counts within one
    # alone, and the service starts this in a session of its own: that has a niceness, too. By hand it is the shell's.
    if os.getsid(0) != os.getpid():
        return
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_NICE), encoding="ascii")
