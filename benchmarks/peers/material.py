"""Given an index of this project and judged questions, what everyone is measured on; and the same read again.

A folder of `passages.jsonl` (title, aliases, heading, text; id and unit), `vectors.npy` (float32, unit length, a row
for each passage), `questions.json` and `question_vectors.npy`. The vectors are those of title, heading and text
together, as the index has them; the questions' are made by the same model in float32.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage with what stands above it. `unit` is the judged section's id."""

    id: str
    unit: str
    title: str
    aliases: list[str]
    heading: str
    text: str

    @property
    def whole(self) -> str:
        """What an engine without fields is given."""
        return "\n".join(part for part in (self.title, self.heading, self.text) if part)


@dataclass(frozen=True)
class Material:
    """What lies in a folder; read when it is asked for."""

    folder: Path

    @cached_property
    def passages(self) -> Sequence[Passage]:
        """All passages, in the order of the vectors."""
        with (self.folder / "passages.jsonl").open(encoding="utf-8") as lines:
            return [Passage(**json.loads(line)) for line in lines]

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """(passages, dimensions)."""
        return np.load(self.folder / "vectors.npy", allow_pickle=False)

    @cached_property
    def about(self) -> dict[str, Any]:
        """Where it is from, and how much it is."""
        found: dict[str, Any] = json.loads((self.folder / "about.json").read_text(encoding="utf-8"))
        return found

    @cached_property
    def questions(self) -> list[tuple[str, str]]:
        """Id and text of each question."""
        entries = json.loads((self.folder / "questions.json").read_text(encoding="utf-8"))
        return [(entry["id"], entry["text"]) for entry in entries]

    @cached_property
    def question_vectors(self) -> NDArray[np.float32]:
        """(questions, dimensions)."""
        return np.load(self.folder / "question_vectors.npy", allow_pickle=False)


def prepare(index: Path, topics: Sequence[Any], folder: Path) -> Material:
    """Write the material of an index and topics (`id`, `text`) into the folder."""
    from kb import KnowledgeBase  # noqa: PLC0415  (peers' processes have no kb)
    from kb.retrieval.encoder import FOR_PASSAGES, Encoder  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    with KnowledgeBase.open(index) as opened:
        generation = index / "generations" / opened.generation
        with (folder / "passages.jsonl").open("w", encoding="utf-8") as file:
            count = 0
            for passage in _passages(generation):
                file.write(json.dumps(asdict(passage), ensure_ascii=False) + "\n")
                count += 1
        about = {
            "articles": opened.article_count,
            "sections": opened.section_count,
            "passages": count,
            "questions": len(topics),
            "model": opened.manifest.model.name,
            "index": str(index.resolve()),
            "corpora": [corpus.path for corpus in opened.manifest.corpora],
            "generation": opened.generation,
            "digest": hashlib.sha256((folder / "passages.jsonl").read_bytes()).hexdigest(),
        }
    encoder = Encoder(generation / "encoder", FOR_PASSAGES)
    vectors = np.load(generation / "vectors" / "passages.npy", allow_pickle=False)
    np.save(folder / "vectors.npy", np.ascontiguousarray(vectors, dtype=np.float32))
    asked = np.stack([encoder.encode_question(topic.text) for topic in topics])
    np.save(folder / "question_vectors.npy", asked)
    questions = [{"id": topic.id, "text": topic.text} for topic in topics]
    (folder / "questions.json").write_text(json.dumps(questions), encoding="utf-8")
    (folder / "about.json").write_text(json.dumps(about, indent=2), encoding="utf-8")
    return Material(folder)


def _passages(generation: Path) -> Iterator[Passage]:
    """The passages of a generation, in the order of their rows."""
    from kb.storage.articles import FILE, ArticleStore  # noqa: PLC0415

    store = ArticleStore(generation / FILE)
    for row in np.load(generation / "passages.npy", allow_pickle=False):
        article = store.article_head(int(row["article"]))
        section = store.section(int(row["section"]))
        start, end = int(row["start"]), int(row["end"])
        yield Passage(
            id=f"{article.id}#{section.id}@{start}",
            unit=section.id if article.section_ids_given else f"{article.id}#{section.id}",
            title=article.display_title,
            aliases=list(article.aliases),
            heading=section.heading,
            text=section.text[start:end],
        )
    store.close()
