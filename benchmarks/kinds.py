"""Given an index, its articles' own titles as questions: how often the section of the kind asked for comes first.

    python benchmarks/kinds.py --index DIR [--step 5] [--headings]

Every `--step`-th article of three sections and more is asked for by its title alone, and should be shown by its
beginning. With `--headings`, up to EACH articles with each of MedQuAD's headings are asked what such a section says, in
words that were written down before any was asked, and that section should lead its article. Prints Markdown tables,
with and without kb.ranking.section_kinds. Articles are drawn with a fixed seed.
"""

from __future__ import annotations

import argparse
import random
import sys
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np

from kb import KnowledgeBase
from kb.evaluation import runs
from kb.schema.article import Article

NAMED = ("{}", "what is {}?", "tell me about {}")

ASKED = {
    "Causes": (
        "what causes {}",
        "{} causes",
        "why do people get {}",
        "where does {} come from",
    ),
    "Treatment": (
        "how is {} treated",
        "{} treatment",
        "what helps with {}",
        "medicine for {}",
    ),
    "Frequency": ("how common is {}", "how many people have {}", "is {} rare"),
    "Outlook": ("life expectancy with {}", "can {} be cured", "does {} get better"),
    "Inheritance": (
        "is {} hereditary",
        "can I pass {} on to my children",
        "does {} run in families",
    ),
    "Genetic changes": ("what gene causes {}", "which mutation is behind {}"),
    "Exams and Tests": (
        "how is {} diagnosed",
        "test for {}",
        "how do doctors find out if it is {}",
    ),
    "Prevention": ("how to prevent {}", "can {} be avoided"),
    "Symptoms": ("{} symptoms", "signs of {}", "how do I know if I have {}"),
    "Susceptibility": ("who gets {}", "who is at risk for {}"),
}

SECTIONS = 3
"""Articles with fewer have little to choose from."""

EACH = 25


def articles(knowledge_base: KnowledgeBase) -> list[Article]:
    """Those with a title and enough sections, in the order of their ids."""
    summaries = knowledge_base.articles(limit=knowledge_base.article_count)
    kept = [each.id for each in summaries if each.title and each.section_count >= SECTIONS]
    return [knowledge_base.article(article_id) for article_id in kept]


def opens(knowledge_base: KnowledgeBase, question: str) -> bool:
    """Whether the first result is the first section of its article."""
    first = knowledge_base.search(question, limit=1).results[0].citation
    return first.section_id == knowledge_base.article(first.article_id).sections[0].id


def leads(knowledge_base: KnowledgeBase, question: str, article: Article, heading: str) -> bool:
    """Whether of the article's sections the one with that heading is the best."""
    for unit, _ in runs.run(knowledge_base, question, depth=1000):
        for section in article.sections:
            if unit in (section.id, f"{article.id}#{section.id}"):
                return section.heading == heading
    return False


def share(found: list[bool]) -> str:
    return f"{np.mean(found):.0%}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--headings", action="store_true")
    options = parser.parse_args()
    with KnowledgeBase.open(options.index) as asked, ExitStack() as without:
        known = articles(asked)
        titles = [article.title for article in known[:: options.step]]
        drawn = {}
        for heading in ASKED if options.headings else ():
            having = [
                article
                for article in known
                if any(section.heading == heading for section in article.sections)
            ]
            drawn[heading] = random.Random(heading).sample(having, min(EACH, len(having)))
        rows: dict[str, list[str]] = {}
        for _ in ("shipped", "without"):
            for form in NAMED:
                found = [opens(asked, form.format(title)) for title in titles]
                name = f"`{form.format('…')}` ({len(titles):,})"
                rows.setdefault(name, []).append(share(found))
            every: list[bool] = []
            for heading, having in drawn.items():
                found = [
                    leads(asked, form.format(article.title), article, heading)
                    for article in having
                    for form in ASKED[heading]
                ]
                every += found
                rows.setdefault(f"{heading} ({len(found)})", []).append(share(found))
            if every:
                rows.setdefault(f"all of these ({len(every)})", []).append(share(every))
            without.enter_context(patch("kb.ranking.section_kinds.OPENING_BONUS", 0.0))
            without.enter_context(patch("kb.ranking.section_kinds.KIND_WEIGHT", 0.0))
    print("| asked | the section is first | without the kind |\n|---|---|---|")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
