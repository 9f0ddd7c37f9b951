"""`kb build`: the corpus into a new generation of the index."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kb.cli.options import index_option

if TYPE_CHECKING:
    from indexer.build import BuildReport


@click.command()
@index_option
@click.option(
    "--corpus",
    "corpora",
    type=click.Path(path_type=Path),
    multiple=True,
    default=(Path("corpus"),),
    show_default="corpus",
    help="A folder of articles, or one file: Markdown, plain text, JSONL or JSONL.gz. May be given several times.",
)
@click.option(
    "--model",
    default="all-MiniLM-L6-v2",
    envvar="KB_MODEL",
    show_default=True,
    show_envvar=True,
    help="The sentence-transformers model: a name, or the path of its folder.",
)
@click.option(
    "--if-stale", is_flag=True, help="Build only where the index is not what the corpus would make."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def build(index: Path, corpora: tuple[Path, ...], model: str, if_stale: bool, as_json: bool) -> int:
    """Build the index from the whole corpus and publish it.

    Texts that were embedded before are not embedded again. The index that is live goes on answering until the new
    one is whole. Ends with exit code 1 where some articles or files could not be read; the others are in the index.
    """
    from indexer.build import build as build_index
    from indexer.build import is_stale

    if if_stale and not is_stale(index, corpora, model):
        click.echo(f"The index in {index} is up to date.", err=True)
        return 0
    report = build_index(index, corpora, model, _progress())
    if as_json:
        click.echo(json.dumps(_as_dict(report), ensure_ascii=False, indent=2))
    _summarise(report, index)
    return 1 if report.failures else 0


def _summarise(report: BuildReport, index: Path) -> None:
    click.echo(
        f"Built {index}, generation {report.generation}, in {report.seconds:.1f} s: {report.articles:,} articles, "
        f"{report.sections:,} sections, {report.passages:,} passages; {report.embedded:,} of {report.texts:,} "
        "texts embedded anew.",
        err=True,
    )
    if report.failures:
        count = len(report.failures)
        click.echo(
            f"{count} {'article or file' if count == 1 else 'articles or files'} could not be read:",
            err=True,
        )
        for failure in report.failures:
            click.echo(f"  {failure}", err=True)


def _as_dict(report: BuildReport) -> dict[str, Any]:
    return {
        "generation": report.generation,
        "articles": report.articles,
        "sections": report.sections,
        "passages": report.passages,
        "texts": report.texts,
        "embedded": report.embedded,
        "failures": [
            {"path": failure.path, "line": failure.line, "reason": failure.reason}
            for failure in report.failures
        ],
        "seconds": round(report.seconds, 3),
    }


def _progress() -> Any:
    """Bars on a terminal; elsewhere nothing but the summary."""
    from indexer.progress import Progress

    if not sys.stderr.isatty():
        return Progress()
    from tqdm import tqdm

    class Bars(Progress):
        bar: tqdm[Any] | None = None

        def stage(self, name: str, total: int | None = None) -> None:
            self.close()
            self.bar = tqdm(
                desc=f"{name:>20}", total=total, unit="", file=sys.stderr, mininterval=0.2
            )

        def advance(self, steps: int = 1) -> None:
            if self.bar is not None:
                self.bar.update(steps)

        def close(self) -> None:
            if self.bar is not None:
                self.bar.close()
                self.bar = None

    return Bars()
