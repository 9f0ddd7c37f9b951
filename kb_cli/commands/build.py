"""`kb build` and `kb watch`: build the index from the corpus, once or after every change."""

from __future__ import annotations

import json
from dataclasses import replace as with_changes
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kb.schema.errors import KbError
from kb_cli.terminal.options import corpus_option, index_option, say, wait_option
from kb_cli.terminal.progress import make_progress
from kb_cli.terminal.summary import as_dict, name_unsupported_files, summarise, unsupported_as_dicts

if TYPE_CHECKING:
    from kb.storage.manifest import Precision


@click.command()
@index_option
@corpus_option
@click.option(
    "--model",
    envvar="KB_MODEL",
    show_envvar=True,
    help="The sentence-transformers model: a name, or the path of its folder. The default is that of the last build,"
    " or all-MiniLM-L6-v2.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16"]),
    envvar="KB_PRECISION",
    show_envvar=True,
    help="Number format for embedding a library. On processors with bfloat16, bf16 takes two thirds of the time or "
    "less, at a cosine of 0.998 to fp32. The default is that of the last build, or fp32.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "xpu"]),
    default="auto",
    show_default=True,
    envvar="KB_DEVICE",
    show_envvar=True,
    help="Device for embedding a library. auto uses a GPU if torch sees one. If that fails, or its vectors differ from "
    "the index's own encoder, the processor embeds instead. A few texts are always embedded by the processor.",
)
@click.option(
    "--if-stale", is_flag=True, help="Build only if the index is not up to date with the corpus."
)
@click.option(
    "--replace",
    is_flag=True,
    help="Build even if a corpus of the index is missing or empty, or more than half of the published articles "
    "would go.",
)
@wait_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def build(
    index: Path,
    corpora: tuple[Path, ...],
    model: str | None,
    precision: Precision | None,
    device: str,
    if_stale: bool,
    replace: bool,
    wait_s: float,
    as_json: bool,
) -> int:
    """Bring the index up to date with the corpus, and publish it.

    Only new and changed text is embedded. The live index answers until the new one is complete. A rollback ends. Ends
    with exit code 1 if some articles or files could not be read; the others are in the index.

    If a corpus of the index is missing or has no article left, or more than half of the published articles would be
    removed, the build changes nothing and ends with exit code 1. --replace overrides that.
    """
    from indexer.build.build import build as build_index
    from indexer.build.request import BuildRequest
    from indexer.build.stale import is_stale
    from indexer.corpus.unsupported_files import unsupported_files
    from indexer.generations.collect import other_format
    from kb.storage.generation import pinned_generation

    request = with_changes(
        BuildRequest.like_last(index, corpora, model, precision),
        device=device,
        wait_s=wait_s,
        waiting=say,
        replace=replace,
    )
    if if_stale and not is_stale(request):
        pinned = pinned_generation(index)
        say(
            f"{index} was rolled back to {pinned} and stays so, whatever is in the corpus. `kb build` without "
            "--if-stale ends the rollback."
            if pinned
            else f"The index in {index} is up to date."
        )
        return 0
    report = build_index(request, make_progress())
    others = unsupported_files(request.corpora)
    if as_json:
        done = as_dict(report) | {"passed_over": unsupported_as_dicts(others)}
        click.echo(json.dumps(done, ensure_ascii=False, indent=2))
    summarise(report, index)
    if kept := other_format(index):
        say(
            f"Generation {kept} is kept for services of the earlier program: restart them with this one, "
            "then run `kb gc`."
        )
    name_unsupported_files(others)
    return 1 if report.failures else 0


@click.command()
@index_option
@corpus_option
@click.option(
    "--interval",
    "interval_s",
    type=click.FloatRange(min=0.05),
    default=1.0,
    show_default=True,
    help="Seconds between two checks of the corpus.",
)
@click.option(
    "--settle",
    "settle_s",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Seconds without a further change before a build begins.",
)
@wait_option
def watch(
    index: Path, corpora: tuple[Path, ...], interval_s: float, settle_s: float, wait_s: float
) -> None:
    """Build whenever files of the corpus change, until stopped.

    Changes in quick succession make one build. During a rollback, nothing is built.
    """
    from indexer.build.request import BuildRequest
    from indexer.corpus.unsupported_files import unsupported_files
    from indexer.corpus.watch import watch as watch_corpora
    from indexer.generations.last_build import last_build
    from indexer.maintenance.follow import Held, follow_corpus

    chosen = corpora or last_build(index).corpora

    def changed() -> None:
        try:
            # Read each time: somebody may have built with another model in the meantime.
            request = with_changes(
                BuildRequest.like_last(index, chosen), wait_s=wait_s, waiting=say
            )
            done = follow_corpus(request, make_progress())
            if isinstance(done, Held):
                say(
                    f"{index} was rolled back to {done.generation}: nothing is built before `kb build`."
                )
                return
            summarise(done, index)
            name_unsupported_files(unsupported_files(chosen))
        except (KbError, OSError) as error:  # mended by the next change, perhaps
            say(f"kb: {error}")

    say(f"Watching {', '.join(map(str, chosen))}; Ctrl-C ends it.")
    watch_corpora(chosen, changed, interval_s=interval_s, settle_s=settle_s)
