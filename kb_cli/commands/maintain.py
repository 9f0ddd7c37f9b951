"""`kb status`, `kb check`, `kb rollback` and `kb gc`: the state of an index, and its maintenance."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kb_cli.terminal.options import index_option, say, wait_option
from kb_cli.terminal.summary import describe_changes, named

if TYPE_CHECKING:
    from indexer.maintenance.inspection import Inspected
    from indexer.maintenance.status import Status

_INDEX_UNUSABLE = 3
_SHOWN = 10


@click.command()
@index_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(index: Path, as_json: bool) -> None:
    """Show the live generation, its size, changes of the corpus that are not indexed yet, and the last build."""
    from indexer.maintenance.status import status as look

    found = look(index)
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False, indent=2))
    else:
        _print(found)


def _print(found: Status) -> None:
    counts = found.counts
    click.echo(f"Live: {found.generation}, made {found.created} with {found.model}")
    if found.damage:
        click.echo(f"Degraded: {found.damage}")
    if found.pinned:
        click.echo("Pinned: this is a rollback, and stays live until `kb build`.")
    click.echo(
        f"Holds: {counts.articles:,} articles, {counts.sections:,} sections, {counts.passages:,} passages, "
        f"{counts.terms:,} terms"
    )
    click.echo(f"Corpus: {', '.join(found.corpora)}")
    _print_stale(found)
    click.echo(f"Last build: {describe_changes(found.last_build)}")
    for message in found.last_failures:
        click.echo(f"  {message}")
    click.echo(f"Kept: {', '.join(found.kept)}")
    click.echo(
        f"On disk: {found.bytes / 1e6:,.1f} MB of generations, {found.cache_bytes / 1e6:,.1f} MB of cache"
    )
    if found.writer:
        click.echo(f"At work: {found.writer}")


def _print_stale(found: Status) -> None:
    if found.corpus_unreadable:
        click.echo(f"Stale: unknown, because the corpus cannot be read: {found.corpus_unreadable}")
        return
    if found.rebuild:
        click.echo("Stale: the model or the program has changed; `kb build` starts from scratch.")
    elif found.words or any(found.stale.values()):
        click.echo("Stale: `kb build` would index these changes of the corpus:")
        for kind, ids in found.stale.items():
            if ids:
                click.echo(f"  {len(ids):,} {kind}: {named(ids, _SHOWN)}")
        if found.words:
            click.echo(f"  {', '.join(found.words)}")
    else:
        click.echo("Stale: nothing; the index is up to date with the corpus.")
    for message in found.unreadable:
        click.echo(f"  cannot be read: {message}")


@click.command()
@index_option
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def check(index: Path, as_json: bool) -> int:
    """Verify every file of every generation, open and use each part, and look up every passage.

    Files beside the generations are read too. Ends with exit code 3 if the live generation or the stored weights are
    damaged, and with 1 if only something else is. A generation that another version of the program wrote is named but
    not opened.
    """
    from indexer.maintenance.inspection import inspect

    found = inspect(index)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=2))
    else:
        for each in found:
            notes = [note for note, held in (("live", each.live), ("pinned", each.pinned)) if held]
            noted = f" ({', '.join(notes)})" if notes else ""
            click.echo(f"{each.generation or each.file}{noted}: {each.damage or _unopened(each)}")
    if any(each.stops_answers for each in found):
        return _INDEX_UNUSABLE
    return 1 if any(each.damage for each in found) else 0


def _unopened(found: Inspected) -> str:
    if found.format_version is None:
        return "whole"
    return f"of format version {found.format_version}, for an earlier or later program"


@click.command()
@click.argument("generation", required=False)
@index_option
@wait_option
def rollback(generation: str | None, index: Path, wait_s: float) -> None:
    """Make GENERATION live again until the next `kb build`. The default is the one before the live one.

    Articles removed from the corpus since then stay removed.
    """
    from indexer.maintenance.rollback import roll_back

    done = roll_back(index, generation, wait_s=wait_s, waiting=say)
    say(f"{index} is rolled back to {done.generation} and stays so until `kb build`.")
    if done.generation != done.rolled_back_to:
        say(f"It holds what {done.rolled_back_to} held, without {_left_out(done.left_out)}.")
    click.echo(done.generation)


def _left_out(ids: tuple[str, ...]) -> str:
    if not ids:
        return "what was removed since"
    articles = "article" if len(ids) == 1 else "articles"
    return f"{len(ids):,} {articles} removed since: {named(ids, _SHOWN)}"


@click.command()
@index_option
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Number of generations to keep, including the live one.",
)
@wait_option
def gc(index: Path, keep: int, wait_s: float) -> None:
    """Delete old generations that are not open, leftovers of killed builds, and unused embeddings.

    A generation of an earlier format, which builds keep, is deleted as well. After an upgrade, restart the services
    first.
    """
    from indexer.generations.collect import collect
    from indexer.generations.lock import writer_lock
    from indexer.generations.publish import sweep
    from indexer.maintenance.prune import prune_cache
    from kb.storage.disk_errors import telling
    from kb.storage.generation import current_generation

    current_generation(index)  # nothing is to be made where there is no index
    with writer_lock(index, wait_s, say), telling(index):
        leftovers = sweep(index)
        deleted = collect(index, keep, keep_other_format=False)
        pruned = prune_cache(index)
    for name in deleted:
        click.echo(name)
    say(
        f"Deleted {len(deleted)} generations, {leftovers} leftovers of killed builds and {pruned:,} embeddings."
    )
