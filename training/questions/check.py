"""Checks the questions' form and prints the figures of their card.

python training/questions/check.py ../shared/data/medquad/articles.jsonl.gz
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from pathlib import Path
from statistics import mean
from typing import Any

from kb.text import analysis

HERE = Path(__file__).parent
MESSAGE_WORDS = 20


def share_of_words(entry: dict[str, Any], article: dict[str, Any]) -> float:
    """The share of a question's terms, the article's names aside, that stand in its first answering section."""
    names = analysis.terms(" ".join([article["title"], *article.get("aliases", [])]))
    asked = {*analysis.terms(entry["text"])} - {*names}
    best = next(section for section, grade in entry["sections"].items() if grade == 2)
    text = next(each for each in article["sections"] if each["id"] == best)
    held = {*analysis.terms(f"{text['heading']} {text['text']}")}
    return len(asked & held) / len(asked) if asked else 0.0


def main(collection: Path) -> int:
    with gzip.open(collection, "rt", encoding="utf-8") as lines:
        articles = {article["id"]: article for article in map(json.loads, lines)}
    set_aside = {*(HERE / "held_out_articles.txt").read_text().split()}
    entries = []
    for name in ("train", "held_out"):
        for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            sections = {section["id"] for section in articles[entry["article"]]["sections"]}
            assert (entry["article"] in set_aside) == (name == "held_out"), entry["id"]
            assert sections >= entry["sections"].keys(), entry["id"]
            assert 2 in {*entry["sections"].values()} <= {1, 2}, entry["id"]
            entries.append(entry)
    words = [len(entry["text"].split()) for entry in entries]
    shares = [share_of_words(entry, articles[entry["article"]]) for entry in entries]
    print(
        f"{len(entries):,} questions over {len({entry['article'] for entry in entries}):,} articles"
    )
    print(
        f"words: {mean(words):.1f}; 2 to 12: {mean(2 <= n <= 12 for n in words):.0%};"
        f" {MESSAGE_WORDS} and more: {mean(n >= MESSAGE_WORDS for n in words):.0%}"
    )
    print(
        f"own words in the section: {mean(shares):.2f}; more than a third: {mean(s > 1 / 3 for s in shares):.0%}"
    )
    for key in ("kind", "person"):
        print(key, dict(Counter(entry[key] for entry in entries).most_common()))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
