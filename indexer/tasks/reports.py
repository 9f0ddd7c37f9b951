"""Reports of tasks, and the reasons of those that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kb.schema.errors import ArticleError, KbError
from kb.schema.service import ArticleChange, Failure, PassedOver, Report, Summary

if TYPE_CHECKING:
    from indexer.build.request import BuildReport

MAX_LISTED_ARTICLES = 1000
"""Maximum number of articles named in a report. Failures have no limit."""


def report_of(
    changes: Sequence[ArticleChange] = (),
    failures: Sequence[ArticleError] = (),
    passed_over: Sequence[tuple[str, str]] = (),
) -> Report:
    """What became of the articles of a task: each by its id, in numbers, and every failure with its reason."""
    count = Counter(each.change for each in changes)
    return Report(
        articles=tuple(changes[:MAX_LISTED_ARTICLES]),
        left_out=max(0, len(changes) - MAX_LISTED_ARTICLES),
        failures=failures_of(failures),
        passed_over=tuple(PassedOver(name, reason) for name, reason in passed_over),
        summary=Summary(
            added=count["added"],
            changed=count["changed"],
            removed=count["removed"],
            skipped=count["unchanged"] + len(passed_over),
            failed=len(failures),
        ),
    )


def failures_of(errors: Sequence[ArticleError]) -> tuple[Failure, ...]:
    """The failures as clients see them."""
    return tuple(Failure(each.path, each.line, each.reason) for each in errors)


def rebuilt(before: Report, built: BuildReport) -> Report:
    """The report of a rebuild, whose articles are all those of the corpus."""
    changes = built.changes
    return replace(
        before,
        generation=built.generation,
        summary=Summary(
            added=changes.added,
            changed=changes.changed,
            removed=changes.removed,
            skipped=changes.unchanged + changes.hidden,
            failed=changes.failed,
        ),
        failures=tuple(
            Failure(Path(each.path).name, each.line, each.reason) for each in built.failures
        ),
    )


def failure_text(error: Exception) -> str:
    """Why the disk, or the corpus as a whole, does not take what it should."""
    if isinstance(error, KbError):
        return str(error)
    if isinstance(error, OSError):
        return f"The disk failed: {error.strerror or type(error).__name__}."
    return "The tasks' own file cannot be written."
