"""`kb backup` and `kb restore`: the index and its corpora in one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from kb_cli.terminal.options import index_option, say, wait_option


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@index_option
def backup(file: Path, index: Path) -> int:
    """Write the verified live generation and its corpora to FILE, a tar archive.

    FILE also has the weights stored by `kb tune`, and the records of rollbacks and removed articles. Ends with exit
    code 1 if a corpus is missing; FILE has everything else then.
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
            f"kb: {index} cannot be written, so it does not record this backup: "
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
    help="An empty or new folder for the corpora of the backup.",
)
@wait_option
def restore(file: Path, index: Path, corpus_folder: Path | None, wait_s: float) -> None:
    """Verify the generation in FILE, and publish it.

    With --corpus, the index is built from that folder from then on. If there are several corpora, each gets a folder in
    it. Articles removed from this index since the backup stay removed. Weights of `kb tune` in FILE replace the stored
    ones.
    """
    from indexer.maintenance.restore import restore as restore_index

    done = restore_index(index, file, corpus_folder, wait_s=wait_s, waiting=say)
    say(f"Restored generation {done.generation} to {index}.")
    if done.tuned:
        say("The weights that `kb tune` had stored are in use again.")
    if done.pinned:
        say("It is a rollback, and stays live until the next `kb build`.")
    if done.left_out:
        say(f"Removed since, and left out: {', '.join(done.left_out)}")
    if corpus_folder is not None:
        say(f"Put {done.corpus_files:,} files of the corpus into {corpus_folder}.")
    if done.corpora:
        say(f"From now on the index is built from {', '.join(done.corpora)}.")
    for path in done.absent:
        say(f"The backup has no files of {path}. The index still expects them there.")
