"""Given a judged library, what the ranking loses when every heading is put in other words.

    python benchmarks/paraphrases.py --corpus articles.jsonl.gz --topics TOPICS.jsonl --qrels QRELS.txt \\
        --folder /tmp/paraphrases [--field summary] [--cache INDEX/cache/embeddings.sqlite]

`benchmarks/paraphrased_headings.json` has three paraphrases of each heading, which no code reads but this. A sample of
the library (each article with a judged section, and others at random, with a fixed seed) is indexed as it is and with
the first, the second and the third of them in place of the headings; each is asked the same questions. Prints nDCG@10,
the change, and its 95 % interval (paired bootstrap over questions, fixed seed). `--cache` are embeddings made before,
which are copied: then only what changes is embedded, some minutes for each paraphrase.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.build.build import build
from indexer.build.request import BuildRequest
from kb import KnowledgeBase
from kb.evaluation.fitting import confidence_interval
from kb.evaluation.measures import Evaluation, evaluate, read_qrels, read_topics, run_topics
from kb.ranking.fusion import DEFAULT_WEIGHTS

PARAPHRASES = Path(__file__).parent / "paraphrased_headings.json"
MEASURES = ("nDCG@10", "nDCG(judged_only=True)@10")


def sample(corpus: Path, judged: set[str], others: int, seed: int) -> list[dict[str, Any]]:
    """The articles with a judged section, and some of the others."""
    with gzip.open(corpus, "rt", encoding="utf-8") as file:
        articles = [json.loads(line) for line in file]
    known = [
        judged.isdisjoint(section["id"] for section in article["sections"]) for article in articles
    ]
    rest = [place for place, unjudged in enumerate(known) if unjudged]
    drawn = set(random.Random(seed).sample(rest, min(others, len(rest))))
    return [article for place, article in enumerate(articles) if not known[place] or place in drawn]


def reworded(
    articles: Sequence[dict[str, Any]], paraphrases: dict[str, list[str]], which: int
) -> tuple[list[dict[str, Any]], float]:
    """The articles with other headings, and the share of headings that have a paraphrase."""
    changed, count = 0, 0
    written = []
    for article in articles:
        sections = []
        for section in article["sections"]:
            others = paraphrases.get(section["heading"])
            count += 1
            changed += others is not None
            sections.append(section | ({"heading": others[which]} if others else {}))
        written.append(article | {"sections": sections})
    return written, changed / count


def measured(
    folder: Path, articles: Sequence[dict[str, Any]], options: argparse.Namespace
) -> Evaluation:
    """The measures of the shipped ranking on an index of these articles."""
    corpus = folder / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(article) + "\n" for article in articles), encoding="utf-8")
    build(BuildRequest(folder / "index", [corpus]))
    topics = read_topics(options.topics, options.field)
    with KnowledgeBase.open(folder / "index", weights=DEFAULT_WEIGHTS) as asked:
        return evaluate(run_topics(asked, topics, "section", 100), read_qrels(options.qrels))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--topics", type=Path, required=True)
    parser.add_argument("--qrels", type=Path, required=True)
    parser.add_argument("--field", default="text")
    parser.add_argument("--folder", type=Path, required=True, help="for the sample's index")
    parser.add_argument("--cache", type=Path, help="embeddings to begin with")
    parser.add_argument("--others", type=int, default=110, help="articles without a judgment")
    options = parser.parse_args()
    cache = options.folder / "index" / "cache" / "embeddings.sqlite"
    cache.parent.mkdir(parents=True, exist_ok=True)
    if options.cache is not None and not cache.exists():
        shutil.copyfile(options.cache, cache)
    judged = {judgment.doc_id for judgment in read_qrels(options.qrels)}
    articles = sample(options.corpus, judged, options.others, seed=0)
    paraphrases = json.loads(PARAPHRASES.read_text(encoding="utf-8"))
    own = measured(options.folder, articles, options)
    print(f"{len(articles)} articles, {own.topics} questions")
    print("| headings | nDCG@10 | change | 95 % | unjudged removed | change | 95 % |")
    print("|---|---|---|---|---|---|---|")
    print(f"| their own | {own.means[MEASURES[0]]:.3f} | | | {own.means[MEASURES[1]]:.3f} | | |")
    for which in range(3):
        changed, share = reworded(articles, paraphrases, which)
        found = measured(options.folder, changed, options)
        cells = []
        for measure in MEASURES:
            change = found.gains_over(own, measure)
            low, high = confidence_interval(change, np.random.default_rng(0))
            cells.append(
                f"{found.means[measure]:.3f} | {change.mean():+.3f} | {low:+.3f} to {high:+.3f}"
            )
        print(f"| paraphrase {which + 1} ({share:.0%} of them) | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
