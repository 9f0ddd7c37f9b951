"""`kb add`, `kb remove` and `kb addresses`: change the articles of the corpus, and list former addresses."""

from __future__ import annotations

import gc
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kb.schema.errors import KbError
from kb.storage.disk_errors import check_writable
from kb_cli.terminal.options import corpus_option, index_option, say, wait_option
from kb_cli.terminal.progress import make_progress
from kb_cli.terminal.summary import (
    as_dict,
    failures_as_dicts,
    name_failures,
    name_unsupported_files,
    summarise,
    unsupported_as_dicts,
)

if TYPE_CHECKING:
    from indexer.build.request import BuildReport
    from indexer.corpus.editing import Edit
    from kb.storage.addresses import FormerAddress
    from kb.storage.sources import Sources

_NEW_OBJECTS = 100_000
"""Number of new objects after which Python looks for cycles. Its default of 700 took a tenth of a small build."""


dry_run_option = click.option(
    "--dry-run", is_flag=True, help="List what would be written and deleted, and do nothing."
)


@click.command()
@click.argument(
    "paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@index_option
@corpus_option
@wait_option
@dry_run_option
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def add(
    paths: tuple[Path, ...],
    index: Path,
    corpora: tuple[Path, ...],
    wait_s: float,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Add the articles of FILE... to the corpus and the index.

    A FILE is Markdown, plain text, JSONL or JSONL.gz, or a folder of these. The articles are copied into the first
    folder among the corpora, and are on disk there before anything is said. One that states its id replaces the article
    with that id. One that states none is named by its file, and replaces the article with that name only if it has the
    same title. No other article is touched, and each file that is written, replaced or deleted is named. Ends with exit
    code 1 where some could not be read, or none is there.
    """
    from indexer.corpus.editing import add as add_articles
    from indexer.corpus.requirements import check_can_read_articles
    from indexer.corpus.unsupported_files import nothing_usable, unsupported_files
    from indexer.generations.disk_space import check_space_to_add
    from indexer.generations.last_build import last_build

    check_can_read_articles()
    if not dry_run:
        check_writable(index)
        check_space_to_add(index, last_build(index).model)
    chosen, known = _corpora(index, corpora, make=not dry_run)
    edit = add_articles(chosen, list(paths), known, dry_run=dry_run)
    for each in edit.accepted:
        say(f"{'Changed' if each.replaced else 'Added'} {each.id}: {each.path}")
    _say_steps(edit, dry_run)
    name_failures(edit.failures)
    others = unsupported_files(paths)
    if edit.accepted or edit.failures:
        name_unsupported_files(others)
    else:
        say(f"Nothing was added: {nothing_usable(paths, (), ())}.")
    report = _follow(index, chosen, wait_s) if edit.accepted and not dry_run else None
    if as_json:
        accepted = [
            {"id": each.id, "path": str(each.path), "replaced": each.replaced}
            for each in edit.accepted
        ]
        failures, passed_over = failures_as_dicts(edit.failures), unsupported_as_dicts(others)
        done = {"accepted": accepted, "failures": failures, "passed_over": passed_over}
        _print({**done, **_steps(edit, dry_run)}, report)
    return 1 if edit.failures or not edit.accepted else 0


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@index_option
@corpus_option
@wait_option
@click.option(
    "--because", default="", metavar="TEXT", help="The reason, for the page at the address."
)
@click.option("--see", default="", metavar="OTHER", help="The id of the article to read instead.")
@click.option(
    "--purge",
    is_flag=True,
    help="Also delete the text from every generation and the cache, and name the backups that have it.",
)
@dry_run_option
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def remove(
    ids: tuple[str, ...],
    index: Path,
    corpora: tuple[Path, ...],
    wait_s: float,
    because: str,
    see: str,
    purge: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Remove articles from the corpus and the index for good.

    The address of each then says that it was withdrawn, with the reason, or leads to the article to read instead. An
    article in a collection or a read-only corpus is listed in `_removed.txt`, in the first folder among the corpora,
    and stays out of every index. Ends with exit code 1 if there is no article with some ID. If several files claim an
    ID, they are named, the article stays, and the exit code is 1, too.
    """
    from indexer.corpus.editing import remove as remove_articles
    from indexer.corpus.requirements import check_only_removals
    from indexer.maintenance.addresses import former_addresses

    chosen, known = _corpora(index, corpora, make=not dry_run)
    check_only_removals(chosen, known)
    if not dry_run:
        check_writable(index)
    edit: Edit = remove_articles(
        chosen, ids, known, because=because, see=see, forget=purge, dry_run=dry_run
    )
    for article_id in edit.removed:
        say(f"Removed {article_id}")
    _say_steps(edit, dry_run)
    for failure in edit.failures:
        say(f"{failure.reason}.")
    missing = edit.missing
    if purge:  # one that was removed before may be purged now
        withdrawn = {each.id for each in former_addresses(chosen) if each.withdrawn}
        missing = tuple(each for each in missing if each not in withdrawn)
    for article_id in missing:
        say(f"There is no article {article_id!r} in the corpus.")
    report = None
    if edit.removed and not dry_run:
        report = _follow(index, chosen, wait_s, removed=edit.removed)
    purged = None
    to_purge = tuple(each for each in (*edit.removed, *edit.missing) if each not in missing)
    if purge and to_purge and not dry_run:
        purged = _purge(index, to_purge, edit, wait_s)
    if as_json:
        found = {"removed": edit.removed, "missing": missing}
        failures = failures_as_dicts(edit.failures)
        rest = {"purged": purged} if purged is not None else {}
        _print({**found, "failures": failures, **_steps(edit, dry_run), **rest}, report)
    left = purged is not None and bool(purged["generations_kept"])
    return 1 if missing or edit.failures or left else 0


def _say_steps(edit: Edit, dry_run: bool) -> None:
    """Name each file that was changed, or would be."""
    for step in edit.steps:
        say(f"  {step.action} {step.path}")
    if dry_run:
        say("Nothing was done: this was a dry run.")


def _steps(edit: Edit, dry_run: bool) -> dict[str, Any]:
    steps = [
        {"action": step.action, "path": str(step.path), "id": step.article_id}
        for step in edit.steps
    ]
    return {"files": steps, "dry_run": dry_run}


def _purge(index: Path, ids: tuple[str, ...], edit: Edit, wait_s: float) -> dict[str, Any]:
    from indexer.maintenance.purge import purge

    done = purge(index, ids, make_progress(), wait_s=wait_s, waiting=say)
    say(
        f"The text is in no generation any more ({len(done.deleted)} deleted) and not in the cache."
        if not done.kept
        else f"Some generations still hold the text because they are open: {', '.join(done.kept)}. "
        "Stop or restart that service, then run this again with `kb gc --keep 1`."
    )
    for backup in done.backups:
        say(f"A backup holds it: {backup.path}, written {backup.written}{_absent(backup.is_there)}")
    collections = [step.path for step in edit.steps if step.action == "hidden"]
    for path in collections:
        say(f"A collection still holds it, because collections are not written to: {path}")
    return {
        "generations_deleted": done.deleted,
        "generations_kept": done.kept,
        "backups": [str(backup.path) for backup in done.backups],
        "collections": [str(path) for path in collections],
    }


def _absent(is_there: bool) -> str:
    return "" if is_there else " (it is not there now; copies may be elsewhere)"


@click.command()
@index_option
@corpus_option
@wait_option
@click.option(
    "--release",
    "released",
    multiple=True,
    metavar="ID",
    help="Free an address for another article. May be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def addresses(
    index: Path, corpora: tuple[Path, ...], wait_s: float, released: tuple[str, ...], as_json: bool
) -> int:
    """List former addresses of articles: moved, withdrawn, or of a deleted file.

    Each stays reserved until it is released, so an old link never leads to another article. Ends with exit code 1 if an
    ID to release is not a former address.
    """
    from indexer.maintenance.addresses import former_addresses, release

    chosen, _ = _corpora(index, corpora)
    unknown: tuple[str, ...] = ()
    if released:
        unknown = release(chosen, released)
        for article_id in dict.fromkeys(released):
            if article_id not in unknown:
                say(f"Released {article_id}")
        for article_id in unknown:
            say(f"{article_id!r} is not a former address of an article.")
        if len(unknown) < len(set(released)):
            _follow(index, chosen, wait_s)
    found = former_addresses(chosen)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=2))
        return 1 if unknown else 0
    for each in found:
        click.echo(f"{each.id}: {_in_words(each)}")
    if not found:
        say("There are no former addresses.")
    return 1 if unknown else 0


def _in_words(address: FormerAddress) -> str:
    if address.moved_to:
        return f"moved to {address.moved_to}"
    if address.withdrawn:
        because = f": {address.because}" if address.because else ""
        see = f"; see {address.see}" if address.see else ""
        return f"withdrawn {address.withdrawn}{because}{see}"
    return "its file was deleted"


def _corpora(
    index: Path, given: tuple[Path, ...], *, make: bool = False
) -> tuple[tuple[Path, ...], Sources | None]:
    """The corpora to change, and what the index knows of them; with `make`, the first of those given is made."""
    from indexer.generations.last_build import last_build
    from kb.schema.errors import IndexUnusable
    from kb.storage.durable import make_folder
    from kb.storage.generation import open_generation
    from kb.storage.sources import Sources

    if make and given and not given[0].exists():
        make_folder(given[0])
    corpora = given or last_build(index).corpora
    try:
        folder, _, lease = open_generation(index)
    except IndexUnusable:
        return corpora, None
    try:
        return corpora, Sources.load(folder)
    finally:
        lease.release()


def _follow(
    index: Path, corpora: tuple[Path, ...], wait_s: float, *, removed: tuple[str, ...] = ()
) -> BuildReport | None:
    """Have the index follow the corpus, and say what was done; None if a rollback holds."""
    gc.set_threshold(_NEW_OBJECTS)
    from indexer.build.request import BuildRequest
    from indexer.maintenance.follow import Held, follow_corpus

    request = replace(
        BuildRequest.like_last(index, corpora), wait_s=wait_s, waiting=say, removed=removed
    )
    try:
        done = follow_corpus(request, make_progress(), taken_out=removed or None)
    except (KbError, OSError):
        say("The corpus has changed, but the index has not: run `kb build`.")
        raise
    if not isinstance(done, Held):
        summarise(done, index)
        return done
    if removed:
        say(
            f"{index} stays rolled back: {done.generation} holds what {done.rolled_back_to} held, without what was "
            "removed."
        )
    else:
        say(
            f"{index} was rolled back to {done.generation} and stays so: `kb build` puts these articles into it."
        )
    return None


def _print(done: dict[str, Any], report: BuildReport | None) -> None:
    done["build"] = as_dict(report) if report else None
    click.echo(json.dumps(done, ensure_ascii=False, indent=2))
