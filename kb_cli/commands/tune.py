"""`kb tune`: fits the ranking's weights to judged questions of this library."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from kb_cli.terminal.options import index_option

if TYPE_CHECKING:
    from kb.evaluation.fitting import Fit
    from kb.ranking.fusion import FusionWeights
    from kb.schema.search_request import Unit
    from kb.storage.manifest import Manifest

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEXT = "A service uses this from the next index that it opens: after a build or a restart."


@click.command()
@index_option
@click.option("--topics", type=_FILE, help="Questions, JSON lines with id and text.")
@click.option("--qrels", type=_FILE, help="Judgments in TREC's form: topic 0 id grade.")
@click.option("--field", default="text", show_default=True, help="The topics' field to ask.")
@click.option(
    "--unit",
    type=click.Choice(["section", "article"]),
    default="section",
    show_default=True,
    help="The unit of the judgments, as for kb eval.",
)
@click.option("--dry-run", is_flag=True, help="Store nothing.")
@click.option(
    "--force",
    is_flag=True,
    help="Store even without a gain beyond noise, and fit even to few topics.",
)
@click.option("--reset", is_flag=True, help="Go back to the shipped weights.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def tune(
    index: Path,
    topics: Path | None,
    qrels: Path | None,
    field: str,
    unit: str,
    dry_run: bool,
    force: bool,
    reset: bool,
    as_json: bool,
) -> None:
    """Fit the ranking's weights to judged questions, and store them if they gain more than noise.

    The gain is cross-validated. The weights are stored beside the index. They need no rebuild, and stay valid for
    rebuilds with the same model. Without --topics and --qrels, the command shows the stored weights, and whether they
    are in use.
    """
    if (topics is None) != (qrels is None):
        raise click.UsageError("--topics and --qrels go together.")
    if reset:
        if topics is not None or dry_run or force:
            raise click.UsageError("--reset stands alone.")
        _reset(index, as_json)
    elif topics is not None and qrels is not None:
        _fit(index, topics, qrels, field, cast("Unit", unit), dry_run, force, as_json)
    elif dry_run or force:
        raise click.UsageError("--dry-run and --force need --topics and --qrels.")
    else:
        _status(index, as_json)


def _reset(index: Path, as_json: bool) -> None:
    from kb.ranking import tuned_weights
    from kb.storage.generation import current_generation

    removed = tuned_weights.remove(index)
    if not removed:
        current_generation(index)  # nothing removed because there is no index is an error
    if as_json:
        click.echo(json.dumps({"removed": removed}))
    else:
        click.echo(f"The stored weights are removed. {_NEXT}" if removed else "None are stored.")


def _status(index: Path, as_json: bool) -> None:
    from kb.ranking import tuned_weights
    from kb.ranking.fusion import DEFAULT_WEIGHTS
    from kb.storage.generation import open_generation

    _, manifest, lease = open_generation(index)
    lease.release()
    stored = tuned_weights.load(index)
    mismatch = stored.mismatch(manifest) if stored else None
    if as_json:
        used = stored is not None and mismatch is None
        entry = stored.to_dict() if stored else None
        click.echo(json.dumps({"stored": entry, "used": used, "reason": mismatch}, indent=2))
    elif stored is None:
        click.echo("No weights are stored; the shipped ones are in use.")
    else:
        click.echo(f"Weights fitted to {stored.topics} topics on {stored.created} are stored.")
        _print_weights({"shipped": DEFAULT_WEIGHTS, "stored": stored.weights})
        click.echo(
            f"They are not used: {mismatch}. Fit them anew, or run `kb tune --reset`."
            if mismatch
            else "They are in use."
        )


def _fit(
    index: Path,
    topics: Path,
    qrels: Path,
    field: str,
    unit: Unit,
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> None:
    from kb.evaluation import fitting, measures
    from kb.evaluation.weight_grid import judged_topics
    from kb.knowledge_base import KnowledgeBase
    from kb.ranking.fusion import DEFAULT_WEIGHTS

    questions = measures.read_topics(topics, field)
    judgments = measures.read_qrels(qrels)
    hidden = not sys.stderr.isatty()
    with KnowledgeBase.open(index, weights=DEFAULT_WEIGHTS) as knowledge_base:
        manifest = knowledge_base.manifest
        with click.progressbar(
            length=len(questions), label="asking", file=sys.stderr, hidden=hidden
        ) as bar:
            judged = judged_topics(
                knowledge_base, questions, judgments, unit, lambda: bar.update(1)
            )
    with click.progressbar(
        length=fitting.STEPS, label="fitting", file=sys.stderr, hidden=hidden
    ) as bar:
        minimum = 0 if force else fitting.MIN_TOPICS
        fit = fitting.fit(judged, minimum, lambda: bar.update(1))
    stored = (fit.more_than_noise or force) and not dry_run
    if stored:
        _store(index, fit, unit, manifest)
    if as_json:
        click.echo(json.dumps(fit.to_dict() | {"stored": stored}, indent=2))
    else:
        _print(fit)
        click.echo(f"Stored. {_NEXT}" if stored else "Nothing is stored.")


def _store(index: Path, fit: Fit, unit: Unit, manifest: Manifest) -> None:
    from kb.ranking import tuned_weights

    created = datetime.now(UTC).isoformat(timespec="seconds")
    model, version = manifest.model.sha256, manifest.pipeline_version
    tuned_weights.store(
        index,
        tuned_weights.Tuning(fit.weights, created, fit.topics, unit, fit.gains, model, version),
    )


def _print(fit: Fit) -> None:
    from kb.ranking.fusion import DEFAULT_WEIGHTS

    click.echo(f"{fit.topics} topics with a relevant unit, each asked with weights fitted to the")
    click.echo(f"other {fit.folds - 1} of {fit.folds} folds\n")
    width = max(map(len, fit.gains))
    click.echo(f"{'':<{width}}  shipped   tuned     gain  95 % interval")
    for name, gain in fit.gains.items():
        click.echo(
            f"{name:<{width}}   {gain.shipped:.4f}  {gain.tuned:.4f}  {gain.gain:+.4f}  "
            f"{gain.low:+.4f} to {gain.high:+.4f}"
        )
    click.echo()
    _print_weights({"shipped": DEFAULT_WEIGHTS, "fitted to all": fit.weights})
    click.echo(f"\n{_verdict(fit)}")


def _print_weights(weights: dict[str, FusionWeights]) -> None:
    rows: dict[str, dict[str, Any]] = {name: asdict(value) for name, value in weights.items()}
    width = max(map(len, rows))
    names = next(iter(rows.values()))
    click.echo(" " * width + "".join(f"  {name:>8}" for name in names))
    for label, row in rows.items():
        click.echo(f"{label:<{width}}" + "".join(f"  {value:8.3f}" for value in row.values()))


def _verdict(fit: Fit) -> str:
    if fit.more_than_noise:
        return "The gain is more than noise: its interval lies above 0."
    plain, judged = fit.gains.values()
    if plain.low > 0 and judged.gain < 0:
        return "The gain is the judgments' own: with unjudged units removed it is a loss."
    if plain.low > 0:
        return "The shipped weights suit all topics together best."
    return "The gain is no more than noise: its interval does not lie above 0."
