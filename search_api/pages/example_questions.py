"""Questions that the library answers, as examples for the home page."""

from __future__ import annotations

import re
from itertools import pairwise

from kb.knowledge_base import KnowledgeBase
from kb.schema.article import Article, ArticleSummary, is_question
from kb.text.analysis import terms

MAX_EXAMPLES = 4
"""Maximum number of example questions."""

# "Normal or Not?" asks as well, but not so that anybody would type it.
_ASKING = re.compile(
    r"(what|why|how|when|where|who|which|can|could|do|does|is|are|should|will)\b.*\?$",
    re.IGNORECASE,
)
_LOOKED_AT = 12
"""Maximum number of articles read in each part of the library."""


def example_questions(knowledge_base: KnowledgeBase) -> list[str]:
    """Up to four questions from all over the library, in the articles' own words.

    A title that asks is the best; then a heading that asks and names its subject; then a title of another kind, since
    any library, whatever it holds, answers what its articles are called.
    """
    count = knowledge_base.article_count
    parts = min(MAX_EXAMPLES, count)
    bounds = [part * count // max(parts, 1) for part in range(parts + 1)]
    return [
        _best(knowledge_base, knowledge_base.articles(min(end - start, _LOOKED_AT), start))
        for start, end in pairwise(bounds)
    ]


def _best(knowledge_base: KnowledgeBase, near: list[ArticleSummary]) -> str:
    for summary in near:
        if is_question(summary.title):
            return summary.title
    for summary in near:
        if heading := _asking_heading(knowledge_base.article(summary.id)):
            return heading
    # An id alone is the last resort; of others the first by title.
    return min(near, key=lambda summary: not summary.title).display_title


def _asking_heading(article: Article) -> str | None:
    """A heading that asks something and says of what, in a word that the title has too."""
    subject = set(terms(article.title))
    for section in article.sections:
        if _ASKING.match(section.heading) and subject.intersection(terms(section.heading)):
            return section.heading
    return None
