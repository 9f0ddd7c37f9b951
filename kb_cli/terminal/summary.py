"""The summary of a build, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from indexer.build.request import BuildReport
    from indexer.readers.detection import UnsupportedFile
    from kb.schema.errors import ArticleError
    from kb.schema.service import Changes

_NAMED = 20
"""Maximum number of articles that a summary names."""


def summarise(report: BuildReport, index: Path) -> None:
    """Say on stderr what a build did."""
    if not report.published:
        click.echo(
            f"Nothing to do in {index}: generation {report.generation} has all {report.articles:,} articles.",
            err=True,
        )
    else:
        click.echo(
            f"Built {index}, generation {report.generation}, in {report.seconds:.1f} s: {report.articles:,} articles, "
            f"{report.sections:,} sections, {report.passages:,} passages; {report.embedded:,} of {report.texts:,} "
            f"texts embedded anew.\nArticles: {describe_changes(report.changes)}.",
            err=True,
        )
    _name_changes(report)
    name_failures(report.failures)


def _name_changes(report: BuildReport) -> None:
    """Name the moved and removed articles, and those with an unexpected id."""
    told = [f"{old} is {new} now, and its address leads there" for old, new in report.moved.items()]
    told += [f"{article_id} is not there any more" for article_id in report.removed]
    told += [
        f"{article_id} is new: {path}, since a plainer id is another article's"
        for article_id, path in report.other_ids.items()
    ]
    told += [
        f"{article_id} is not shown{_dates(*dates)}" for article_id, dates in report.waiting.items()
    ]
    for line in told[:_NAMED]:
        click.echo(f"  {line}", err=True)
    if len(told) > _NAMED:
        click.echo(f"  and {len(told) - _NAMED:,} more; --json names all", err=True)


def _dates(publish: str | None, expires: str | None) -> str:
    begins = f" before {publish}" if publish else ""
    ends = f" from {expires} on" if expires else ""
    return f"{begins}{' and' if begins and ends else ''}{ends}"


def describe_changes(changes: Changes) -> str:
    """The numbers of a build's articles, and why some were skipped."""
    skipped = f"{changes.unchanged + changes.hidden + changes.waiting:,} skipped"
    moved = f"{changes.moved:,} moved, " if changes.moved else ""
    why = [f"{changes.unchanged:,} unchanged"] if changes.unchanged else []
    why += [f"{changes.hidden:,} removed by `kb remove`"] if changes.hidden else []
    why += [f"{changes.waiting:,} not to be shown today"] if changes.waiting else []
    reasons = f" ({', '.join(why)})" if why else ""
    return (
        f"{changes.added:,} added, {changes.changed:,} changed, {changes.removed:,} removed, {moved}"
        f"{skipped}{reasons}, {changes.failed:,} failed"
    )


def name_failures(failures: tuple[ArticleError, ...]) -> None:
    """Say on stderr what could not be read, and why."""
    if failures:
        count = len(failures)
        click.echo(
            f"{count} {'article or file' if count == 1 else 'articles or files'} could not be read:",
            err=True,
        )
        for failure in failures:
            click.echo(f"  {failure}", err=True)


def name_unsupported_files(others: Sequence[UnsupportedFile]) -> None:
    """Name in one line on stderr the files of unsupported forms, and how to convert them."""
    from indexer.readers.detection import describe

    if others:
        were = "file was" if len(others) == 1 else "files were"
        click.echo(f"{len(others):,} {were} passed over: {describe(others)}.", err=True)


def unsupported_as_dicts(others: Sequence[UnsupportedFile]) -> list[dict[str, Any]]:
    """The files as JSON."""
    return [{"path": printable(each.path), "form": each.form.name} for each in others]


def named(things: Sequence[object], shown: int) -> str:
    """The first `shown` of them by name, and how many more there are."""
    names = ", ".join(map(printable, things[:shown]))
    return f"{names} and {len(things) - shown:,} more" if len(things) > shown else names


def printable(thing: object) -> str:
    """The text of a thing. A file name need not be UTF-8, but printed text must be."""
    return str(thing).encode(errors="replace").decode()


def as_dict(report: BuildReport) -> dict[str, Any]:
    """The summary as JSON."""
    return {
        "generation": report.generation,
        "published": report.published,
        "articles": report.articles,
        "sections": report.sections,
        "passages": report.passages,
        "texts": report.texts,
        "embedded": report.embedded,
        "changes": asdict(report.changes),
        "moved": report.moved,
        "removed": list(report.removed),
        "waiting": {
            article_id: {"publish": publish, "expires": expires}
            for article_id, (publish, expires) in report.waiting.items()
        },
        "other_ids": report.other_ids,
        "failures": failures_as_dicts(report.failures),
        "seconds": round(report.seconds, 3),
    }


def failures_as_dicts(failures: tuple[ArticleError, ...]) -> list[dict[str, Any]]:
    """What could not be read, as JSON."""
    return [
        {"path": failure.path, "line": failure.line, "reason": failure.reason}
        for failure in failures
    ]
