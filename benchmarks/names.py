"""Given an index, its articles' own names as questions: how often the answer begins with an article's beginning.

    python benchmarks/names.py --index DIR [--step 5]

Every `--step`-th article of three sections and more is asked for by its title, alone and within some words. Prints a
Markdown table, with and without kb.openings. The last forms ask for something else, and should stay as they are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from unittest.mock import patch

from kb import KnowledgeBase

FORMS = (
    "{}",
    "what is {}?",
    "tell me about {}",
    "why {}",
    "what to do about {}",
    "{} causes",
    "{} treatment",
)
SECTIONS = 3
"""Articles with fewer have little to choose from."""


def titles(knowledge_base: KnowledgeBase, step: int) -> list[str]:
    """The titles of every `step`-th article, in the order of their ids."""
    summaries = list(knowledge_base.articles(limit=knowledge_base.article_count))
    kept = [each.title for each in summaries if each.title and each.section_count >= SECTIONS]
    return kept[::step]


def share_of_beginnings(knowledge_base: KnowledgeBase, questions: list[str]) -> float:
    """Of how many the first result is the first section of its article, 0 to 1."""
    begun = 0
    for question in questions:
        first = knowledge_base.search(question, limit=1).results[0].citation
        begun += first.section_id == knowledge_base.article(first.article_id).sections[0].id
    return begun / len(questions)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--step", type=int, default=1)
    options = parser.parse_args()
    with KnowledgeBase.open(options.index) as knowledge_base:
        names = titles(knowledge_base, options.step)
        print(f"| of {len(names):,} titles | the beginning first | without the rule |")
        print("|---|---|---|")
        for form in FORMS:
            questions = [form.format(name) for name in names]
            shipped = share_of_beginnings(knowledge_base, questions)
            with patch("kb.openings.REACH", -1.0):
                without = share_of_beginnings(knowledge_base, questions)
            print(f"| `{form.format('…')}` | {shipped:.0%} | {without:.0%} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
