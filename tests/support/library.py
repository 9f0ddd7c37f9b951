"""A small library on disk: its corpus, its index, and what both ought to hold."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from indexer.build.build import build
from indexer.build.request import BuildReport, BuildRequest
from kb.knowledge_base import KnowledgeBase
from kb.ranking import tuned_weights
from kb.ranking.fusion import FusionWeights
from kb.ranking.tuned_weights import Gain, Tuning


def markdown(article_id: str, text: str) -> str:
    return (
        f"---\nid: {article_id}\ntitle: About {article_id}\naliases: [the {article_id} thing]\n---\n"
        f"{text} comes first.\n\n## Causes\n\nThe cause of {article_id} is {text}. Nobody knows why.\n"
    )


@dataclass
class Library:
    """`texts` is what the corpus says: article id to the word that its text turns on."""

    root: Path
    model: str
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def index(self) -> Path:
        return self.root / "index"

    @property
    def corpus(self) -> Path:
        return self.root / "corpus"

    def put(self, article_id: str, text: str) -> None:
        self.corpus.mkdir(exist_ok=True)
        (self.corpus / f"{article_id}.md").write_text(markdown(article_id, text))
        self.texts[article_id] = text

    def drop(self, article_id: str) -> None:
        (self.corpus / f"{article_id}.md").unlink()
        del self.texts[article_id]

    def build(self, *, replace: bool = False) -> BuildReport:
        return build(BuildRequest(self.index, [self.corpus], self.model, replace=replace))

    def copy(self, root: Path) -> Library:
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        return Library(root, self.model, dict(self.texts))

    def generations(self) -> list[str]:
        return sorted(path.name for path in (self.index / "generations").iterdir())

    def live(self) -> Path:
        return self.index / "generations" / (self.index / "CURRENT").read_text().strip()


def held(index: Path, verify: str = "full") -> dict[str, str]:
    """What the live generation holds, read through the public interface: article id to its word."""
    with KnowledgeBase.open(index, verify=verify) as opened:  # type: ignore[arg-type]
        assert opened.damage is None, opened.damage
        return contents(opened)


def contents(opened: KnowledgeBase) -> dict[str, str]:
    found = {}
    for summary in opened.articles(limit=1000):
        article = opened.article(summary.id)
        word = article.sections[0].text.split()[0]
        assert article.sections[1].text.startswith(f"The cause of {article.id} is {word}.")
        found[article.id] = word
    assert len(found) == opened.article_count
    return found


def leftovers(index: Path) -> list[str]:
    """What only a writer that was stopped leaves behind."""
    return [
        path.relative_to(index).as_posix()
        for path in index.rglob("*")
        if path.name.startswith(".") or path.suffix in (".new", ".tmp", ".staged")
    ]


def store_weights(index: Path, keyword: float) -> Tuning:
    """Store weights for the live generation, as `kb tune` does."""
    with KnowledgeBase.open(index) as opened:
        model, version = opened.manifest.model.sha256, opened.manifest.pipeline_version
    weights = FusionWeights(keyword, dense=0.1, sentence=0.1, name=0.1, focus=0.1)
    gains = {"nDCG@10": Gain(shipped=0.5, tuned=0.6, low=0.05, high=0.15)}
    found = Tuning(weights, "2026-02-01T00:00:00+00:00", 42, "section", gains, model, version)
    tuned_weights.store(index, found)
    return found
