"""Whoosh itself: the search engine in pure Python whose analysis and matching this project uses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.engines.base import Engine, Vector
from benchmarks.peers.material import Material

BOOSTS = {"title": 2.0, "aliases": 1.5, "heading": 1.5, "text": 1.0}


class Whoosh(Engine):
    """Four fields, any word. Its searcher is no thread's but its own, so each question opens one, as its users do."""

    title = "Whoosh"
    packages = ("Whoosh-Reloaded",)
    kind = "keyword"
    settings = (
        "fields title, aliases, heading, text (boosts 2, 1.5, 1.5, 1), stemming, any word, its BM25F; texts "
        "stored and fetched; a searcher for each question"
    )

    def build(self, folder: Path, material: Material) -> None:
        """One segment."""
        from whoosh import analysis, fields, index  # noqa: PLC0415

        schema = fields.Schema(row=fields.STORED())
        for field, boost in BOOSTS.items():
            analyzer = analysis.StemmingAnalyzer()
            stored = field == "text"
            schema.add(field, fields.TEXT(analyzer, stored=stored, phrase=False, field_boost=boost))
        writer = index.create_in(str(folder), schema).writer(limitmb=256)
        for row, passage in enumerate(material.passages):
            writer.add_document(
                row=row,
                title=passage.title,
                aliases=" ; ".join(passage.aliases),
                heading=passage.heading,
                text=passage.text,
            )
        writer.commit()

    def open(self, folder: Path) -> None:
        """The parser is without operators."""
        from whoosh import index, qparser  # noqa: PLC0415

        self._index = index.open_dir(str(folder), readonly=True)
        self._parser = qparser.MultifieldParser(
            list(BOOSTS), self._index.schema, plugins=[], group=qparser.OrGroup
        )

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """By the words alone."""
        with self._index.searcher() as searcher:
            hits = searcher.search(self._parser.parse(question), limit=count)
            return [hit.fields()["row"] for hit in hits]
