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
    help="End after this many seconds without work. The default is never.",
)
@click.option(
    "--parent", type=int, help="End when the process with this id is no longer the parent."
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"], case_sensitive=False),
    default="text",
    envvar="KB_LOG_FORMAT",
    show_default=True,
    show_envvar=True,
    help="Format of lines on stderr. `json`: one object per line.",
)
def work(index: Path, idle_s: float | None, parent: int | None, log_format: LogFormat) -> None:
    """Put articles that are sent to the service into the corpus and the index, until stopped.

    `kb serve` runs this by itself. Run it by hand if the service is installed without the extra `indexing`. One process
    works at a time. The next one finishes what it leaves.
    """
    from kb.reporting.logs import announce

    with errors_to_log(log_format):
        from indexer.tasks.worker import SWITCH_INTERVAL_S
        from indexer.tasks.worker import work as work_at

        sys.setswitchinterval(SWITCH_INTERVAL_S)
        if not work_at(index, idle_s=idle_s, parent=parent, log_format=log_format):
            announce(f"Another process works at the tasks of {index}.")
