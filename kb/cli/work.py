"""`kb work`: the tasks that a service has accepted, done one after the other."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

import click

from kb.cli.options import index_option, say

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
def work(index: Path, idle_s: float | None, parent: int | None) -> None:
    """Take the articles that were sent to the service into the corpus and the index, until stopped.

    `kb serve` starts this by itself while there is work. Run it by hand where the service is installed without what
    building needs. One process works at a time; what it leaves unfinished the next one does.
    """
    from indexer.worker import work as work_at

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _give_way()
    if not work_at(index, idle_s=idle_s, parent=parent):
        say(f"Another process works at the tasks of {index}.")


def _give_way() -> None:
    """Questions come first: take what processor time they leave."""
    os.nice(_NICE)
    # Where the kernel shares out processor time by sessions (sched_autogroup_enabled), niceness counts within one
    # alone, and the service starts this in a session of its own: that has a niceness, too.
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_NICE), encoding="ascii")
