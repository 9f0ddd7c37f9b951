"""`kb backup` and `kb restore`: the index and its corpora in one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from kb_cli.terminal.options import index_option, say, wait_option


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@index_option
def backup(file: Path, index: Path) -> int:
    """Write the live generation, verified, and the corpora it was made from into FILE, a tar archive.

    With them go the weights that `kb tune` stored, and what is known of rollbacks and removed articles.
    Ends with exit code 1 if a corpus is not there any more; everything else is in FILE then.
    """
    from indexer.maintenance.backup import back_up

    done = back_up(index, file)
    say(
        f"Backed up generation {done.generation} and {done.corpus_files:,} files of the corpus to {file} "
        f"({done.bytes / 1e6:,.1f} MB)."
    )
    for path in done.missing:
        say(f"kb: {path} cannot be read and is not in the backup.")
    if not done.noted:
        say(
            f"kb: {index} cannot be written, and so does not know of this backup: "
            "`kb remove --purge` will not name it."
        )
    return 1 if done.missing else 0


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@index_option
@click.option(
    "--corpus",
    "corpus_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="An empty folder, or a new one, to put the corpora of the backup into.",
)
@wait_option
def restore(file: Path, index: Path, corpus_folder: Path | None, wait_s: float) -> None:
    """Publish the generation in FILE, once all of it is verified.

    With --corpus, that folder is what the index is built from henceforth: itself, or a folder in it for each of several
    corpora. Articles removed from this index since the backup stay removed. Weights of `kb tune` that are in FILE take
    the place of those that are stored.
    """
    from indexer.maintenance.restore import restore as restore_index

    done = restore_index(index, file, corpus_folder, wait_s=wait_s, waiting=say)
    say(f"Restored generation {done.generation} to {index}.")
    if done.tuned:
        say("The weights that `kb tune` had stored are in use again.")
    if done.pinned:
        say("It was rolled back to, and stays until the next `kb build`.")
    if done.left_out:
        say(f"Removed since, and left out: {', '.join(done.left_out)}")
    if corpus_folder is not None:
        say(f"Put {done.corpus_files:,} files of the corpus into {corpus_folder}.")
    if done.corpora:
        say(f"The index goes by {', '.join(done.corpora)} from now on.")
    for path in done.absent:
        say(f"The backup holds no files of {path}: for these the index goes by that path still.")
