"""`kb work`: the process that changes articles for a service."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from kb.cli.options import index_option, say

_SWITCH_INTERVAL_S = 0.001
"""So long may one request hold up another: a status, which reads the whole corpus, the taking in of an article."""


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
    """Take the articles that are sent to the service into the corpus and the index, until stopped.

    `kb serve` runs this by itself. Run it by hand where the service is installed without what building needs. One
    process works at a time; what it leaves unfinished the next one does.
    """
    from indexer.worker import work as work_at

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    if not work_at(index, idle_s=idle_s, parent=parent):
        say(f"Another process works at the tasks of {index}.")
