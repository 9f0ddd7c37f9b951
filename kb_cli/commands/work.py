"""`kb work`: the process that changes articles for a service."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kb_cli.terminal.exit_codes import errors_to_log
from kb_cli.terminal.options import index_option

if TYPE_CHECKING:
    from kb.reporting.logs import LogFormat


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
def work(index: Path, idle_s: float | None, parent: int | None, log_format: LogFormat) -> None:
    """Take the articles that are sent to the service into the corpus and the index, until stopped.

    `kb serve` runs this by itself. Run it by hand where the service is installed without what building needs. One
    process works at a time; what it leaves unfinished the next one does.
    """
    from kb.reporting.logs import announce

    with errors_to_log(log_format):
        from indexer.tasks.worker import SWITCH_INTERVAL_S
        from indexer.tasks.worker import work as work_at

        sys.setswitchinterval(SWITCH_INTERVAL_S)
        if not work_at(index, idle_s=idle_s, parent=parent, log_format=log_format):
            announce(f"Another process works at the tasks of {index}.")
