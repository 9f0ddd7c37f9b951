"""tantivy: a search engine in Rust, Lucene's kin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.engines.base import Engine, Vector
from benchmarks.peers.material import Material

BOOSTS = {"title": 2.0, "aliases": 1.5, "heading": 1.5, "text": 1.0}


class Tantivy(Engine):
    """Four fields, any word, title and heading counting more."""

    title = "tantivy"
    packages = ("tantivy",)
    kind = "keyword"
    settings = (
        "fields title, aliases, heading, text (boosts 2, 1.5, 1.5, 1), English stemmer, any word; texts "
        "stored and fetched"
    )

    def build(self, folder: Path, material: Material) -> None:
        """One commit, its segments merged."""
        import tantivy  # noqa: PLC0415

        schema = tantivy.SchemaBuilder()
        schema.add_unsigned_field("row", stored=True)
        for field in BOOSTS:
            schema.add_text_field(field, stored=field == "text", tokenizer_name="en_stem")
        index = tantivy.Index(schema.build(), path=str(folder))
        writer = index.writer(heap_size=256_000_000, num_threads=1)  # one segment
        for row, passage in enumerate(material.passages):
            document = tantivy.Document()
            document.add_unsigned("row", row)
            document.add_text("title", passage.title)
            document.add_text("aliases", " ; ".join(passage.aliases))
            document.add_text("heading", passage.heading)
            document.add_text("text", passage.text)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()

    def open(self, folder: Path) -> None:
        """Mapped."""
        import tantivy  # noqa: PLC0415

        self._index = tantivy.Index.open(str(folder))
        self._index.reload()
        self._searcher = self._index.searcher()

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """What is no query's syntax is text."""
        query, _ = self._index.parse_query_lenient(
            _words(question), list(BOOSTS), field_boosts=BOOSTS
        )
        found = self._searcher.search(query, count).hits
        rows = []
        for _, address in found:
            document = self._searcher.doc(address)
            document["text"]
            rows.append(int(document["row"][0]))
        return rows


def _words(question: str) -> str:
    """The question without what a parser of queries would take for an operator."""
    return "".join(letter if letter.isalnum() or letter in "' " else " " for letter in question)
