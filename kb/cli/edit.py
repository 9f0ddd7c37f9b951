"""`kb add` and `kb remove`: articles into the corpus or out of it, for good, and the index after them."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kb.cli.options import corpus_option, index_option, say, wait_option
from kb.cli.progress import make_progress
from kb.cli.summary import (
    as_dict,
    failures_as_dicts,
    name_failures,
    name_other_files,
    other_files_as_dicts,
    summarise,
)
from kb.errors import KbError
from kb.storage import check_writable

if TYPE_CHECKING:
    from indexer.build import BuildReport
    from indexer.editing import Edit
    from kb.sources import Sources

_NEW_OBJECTS = 100_000
"""Python looks for cycles after so many objects: after 700, as it would, that took a tenth of a small build's time,
whose objects mostly live to its end."""


@click.command()
@click.argument(
    "paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@index_option
@corpus_option
@wait_option
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def add(
    paths: tuple[Path, ...], index: Path, corpora: tuple[Path, ...], wait_s: float, as_json: bool
) -> int:
    """Put the articles of FILE... into the corpus, each in place of any other of its id, and into the index.

    A FILE is Markdown, plain text, JSONL or JSONL.gz, or a folder of such. The articles are copied into the first
    folder among the corpora, and are on disk there before anything is said. Ends with exit code 1 where some could not
    be read, or none is there.
    """
    from indexer.editing import add as add_articles
    from indexer.installed import check_taking_in
    from indexer.other_files import nothing_usable, other_files
    from indexer.remembered import remembered
    from indexer.room import check_room_to_add

    check_taking_in()
    check_writable(index)
    check_room_to_add(index, remembered(index).model)
    chosen, known = _corpora(index, corpora)
    edit = add_articles(chosen, list(paths), known)
    for each in edit.accepted:
        say(f"{'Changed' if each.replaced else 'Added'} {each.id}: {each.path}")
    name_failures(edit.failures)
    others = other_files(paths)
    if edit.accepted or edit.failures:
        name_other_files(others)
    else:
        say(f"Nothing was added: {nothing_usable(paths, (), ())}.")
    report = _rebuild(index, chosen, wait_s) if edit.accepted else None
    if as_json:
        accepted = [
            {"id": each.id, "path": str(each.path), "replaced": each.replaced}
            for each in edit.accepted
        ]
        failures, passed_over = failures_as_dicts(edit.failures), other_files_as_dicts(others)
        _print({"accepted": accepted, "failures": failures, "passed_over": passed_over}, report)
    return 1 if edit.failures or not edit.accepted else 0


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@index_option
@corpus_option
@wait_option
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def remove(
    ids: tuple[str, ...], index: Path, corpora: tuple[Path, ...], wait_s: float, as_json: bool
) -> int:
    """Take articles out of the corpus and the index, for good.

    One that stands in a collection or a corpus that is not written to is named in `_removed.txt`, in the first folder
    among the corpora, and stays out of every index. Ends with exit code 1 where there is no article of some ID.
    """
    from indexer.editing import remove as remove_articles
    from indexer.installed import check_only_removals
    from indexer.rollback import roll_back
    from kb.generation import pinned_generation

    chosen, known = _corpora(index, corpora)
    check_only_removals(chosen, known)
    check_writable(index)
    edit: Edit = remove_articles(chosen, ids, known)
    for article_id in edit.removed:
        say(f"Removed {article_id}")
    for article_id in edit.missing:
        say(f"There is no article {article_id!r} in the corpus.")
    report = None
    pinned = pinned_generation(index)
    if edit.removed and pinned:
        done = roll_back(index, pinned, removed=edit.removed, wait_s=wait_s, waiting=say)
        say(
            f"{index} stays rolled back: {done.generation} holds what {done.rolled_back_to} held, without what was "
            "removed."
        )
    elif edit.removed:
        report = _rebuild(index, chosen, wait_s, emptied=True)
    if as_json:
        _print({"removed": edit.removed, "missing": edit.missing}, report)
    return 1 if edit.missing else 0


def _corpora(index: Path, given: tuple[Path, ...]) -> tuple[tuple[Path, ...], Sources | None]:
    """The corpora to change, the first of those given made where it is not there, and what the index knows of them."""
    from indexer.remembered import remembered
    from kb.durable import make_folder
    from kb.errors import IndexUnusable
    from kb.generation import open_generation
    from kb.sources import Sources

    if given and not given[0].exists():
        make_folder(given[0])
    corpora = given or remembered(index).corpora
    try:
        folder, _, lease = open_generation(index)
    except IndexUnusable:
        return corpora, None
    try:
        return corpora, Sources.load(folder)
    finally:
        lease.release()


def _rebuild(
    index: Path, corpora: tuple[Path, ...], wait_s: float, *, emptied: bool = False
) -> BuildReport | None:
    gc.set_threshold(_NEW_OBJECTS)
    from indexer.build import build
    from indexer.remembered import remembered
    from kb.generation import pinned_generation

    pinned = pinned_generation(index)
    if pinned:
        say(
            f"{index} was rolled back to {pinned} and stays so: `kb build` puts these articles into it."
        )
        return None
    before = remembered(index)
    try:
        report = build(
            index,
            corpora,
            before.model,
            make_progress(),
            precision=before.precision,
            wait_s=wait_s,
            waiting=say,
            emptied=emptied,
        )
    except (KbError, OSError):
        say("The corpus is changed and the index is not: `kb build` makes it follow.")
        raise
    summarise(report, index)
    return report


def _print(done: dict[str, Any], report: BuildReport | None) -> None:
    done["build"] = as_dict(report) if report else None
    click.echo(json.dumps(done, ensure_ascii=False, indent=2))
