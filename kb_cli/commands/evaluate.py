"""`kb eval`: how well the index answers judged questions."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import click

from kb_cli.terminal.options import index_option, load_reranker, reranker_option, say

if TYPE_CHECKING:
    from kb.schema.search_request import Unit

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("eval")
@index_option
@click.option("--topics", type=_FILE, required=True, help="Questions, JSON lines with id and text.")
@click.option(
    "--qrels", type=_FILE, required=True, help="Judgments in TREC's form: topic 0 id grade."
)
@click.option(
    "--field", default="text", show_default=True, help="The field of the topics with the question."
)
@click.option(
    "--unit",
    type=click.Choice(["section", "article", "passage"]),
    default="section",
    show_default=True,
    help="The unit of the judgments. Section ids are those of the JSONL file, or article#section for Markdown and for"
    " ids that several articles have.",
)
@click.option(
    "--depth",
    type=click.IntRange(1, 1000),
    default=100,
    show_default=True,
    help="Number of units per topic.",
)
@click.option(
    "--run-out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the run in TREC's form.",
)
@reranker_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the values of each topic.")
def evaluate(
    index: Path,
    topics: Path,
    qrels: Path,
    field: str,
    unit: str,
    depth: int,
    run_out: Path | None,
    reranker: str | None,
    as_json: bool,
) -> None:
    """Measure the shipped ranking, or a reranker on top, on judged questions; `kb tune` measures fitted weights."""
    from kb.evaluation import measures
    from kb.knowledge_base import KnowledgeBase
    from kb.ranking.fusion import DEFAULT_WEIGHTS
    from kb.schema.results import Answered

    if run_out is not None and not run_out.parent.is_dir():
        raise click.BadParameter(f"there is no folder {run_out.parent}", param_hint="--run-out")
    questions = measures.read_topics(topics, field)
    judgments = measures.read_qrels(qrels)
    loaded = load_reranker(reranker)
    with (
        KnowledgeBase.open(index, weights=DEFAULT_WEIGHTS, reranker=loaded) as knowledge_base,
        click.progressbar(
            length=2 * len(questions),
            label="asking",
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
        ) as bar,
    ):
        run = measures.run_topics(
            knowledge_base, questions, cast("Unit", unit), depth, lambda: bar.update(1)
        )
        result = measures.evaluate(run, judgments)
        verdicts = measures.count_verdicts(
            knowledge_base, questions, result, judgments, lambda: bar.update(1)
        )
    if run_out is not None:
        measures.write_run(run_out, result.run, "kb")
    if measures.finds_none(result, judgments):
        say(
            f"No relevant {unit} was found for any topic. Are the judgments for another unit, or for another"
            f" library? --unit is {unit}; --run-out shows the ids of the index."
        )
    if as_json:
        counted = {verdict: asdict(count) for verdict, count in verdicts.items()}
        click.echo(json.dumps(result.to_dict() | {"verdicts": counted}, indent=2))
        return
    width = max(map(len, result.means))
    click.echo(f"{'topics':<{width}}  {result.topics}")
    for name, value in result.means.items():
        click.echo(f"{name:<{width}}  {value:.4f}")
    for verdict in get_args(Answered):
        if (count := verdicts.get(verdict)) is not None:
            click.echo(f"{verdict:<{width}}  {count.right} of {count.topics} first {unit}s right")
