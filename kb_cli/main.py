"""The command line: results on stdout, messages on stderr, and an exit code.

Exit codes: 0 success (including no answer), 1 failed or partly failed, 2 wrong usage, 3 the index is missing, damaged
or of another format.
"""

from __future__ import annotations

import os
import sys

import click

from kb_cli.commands.archive import backup, restore
from kb_cli.commands.author import lint, new
from kb_cli.commands.build import build, watch
from kb_cli.commands.edit import add, addresses, remove
from kb_cli.commands.evaluate import evaluate
from kb_cli.commands.keys import keys
from kb_cli.commands.maintain import check, gc, rollback, status
from kb_cli.commands.mcp import mcp
from kb_cli.commands.search import search
from kb_cli.commands.serve import serve
from kb_cli.commands.show import show
from kb_cli.commands.tune import tune
from kb_cli.commands.work import work
from kb_cli.terminal.exit_codes import (
    EXIT_FAILED,
    EXIT_STOPPED,
    EXIT_USAGE,
    EXPECTED_ERRORS,
    explain,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sectioned-kb", prog_name="kb")
def kb() -> None:
    """Build and search a knowledge base of sectioned articles.

    Start with `kb build`, then `kb search "why do my legs jerk when I fall asleep"` or `kb serve`.
    """


for command in (
    *(build, add, remove, addresses, watch, search, serve, mcp, show, evaluate, tune, new, lint),
    *(status, check, rollback, gc, backup, restore),
    *(keys, work),
):
    kb.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code. Every error that a user can cause is one message on stderr."""
    try:
        result = kb.main(arguments, prog_name="kb", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return EXIT_STOPPED
    except EXPECTED_ERRORS as error:
        message, code = explain(error)
        click.echo(f"kb: {message}", err=True)
        return code
    except SystemExit as stopped:
        if stopped.code != EXIT_FAILED:
            raise  # the server's own, where it cannot start
        # click's own, in this mode for one reason: the reader of our output has gone
        # (`kb search ... | head -1`). That is not an error, and there is nothing to add.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0
