"""Make the small index that the tests keep of a format, before the format changes.

`PYTHONPATH=.:tests python tests/formats/make_index.py` writes `format-<version>.tar.xz` beside itself: an index
with all the state it can have, the corpora and the model that it was made from, and `answers.json`, what it answered.
"""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
import tempfile
from pathlib import Path

from indexer.build.build import build
from indexer.build.request import BuildRequest
from indexer.writers import spelling
from kb.knowledge_base import KnowledgeBase
from kb.storage.keys import KeyRing, keys_file
from kb.storage.manifest import FORMAT_VERSION
from kb.tasks.store import TaskStore
from kb.tasks.task import new_task_id
from kb_cli.main import run
from support.library import store_weights
from support.tiny import few_english_words, make_tiny_model

HERE = Path(__file__).parent
TEXTS = {
    "iron": "Iron carries oxygen in the blood",
    "salt": "Salt holds water in the body",
    "sleep": "Sleep lets the body rest",
    "water": "Water is in every cell",
}
NOTICES = """- id: choking
  title: Choking
  text: Call for help now.
  triggers:
    - choking
"""
COLLECTION = (("md-1", "D", "bones"), ("md-2", "C", "skin"))
REMOVED = ("water", "md-2")
QUESTIONS = (
    *(
        "iron",
        "why is there too little salt",
        '"many causes"',
        '"holds water"',
        "vitamin d for bones",
    ),
    *("-iron body", "title:sleep", "choking"),
)


def make(root: Path) -> None:
    """Write `index`, `corpus`, `collection.jsonl.gz`, `model` and `answers.json` into an empty folder."""
    model, corpus, index = root / "model", root / "corpus", root / "index"
    with tempfile.TemporaryDirectory() as made:
        shutil.copytree(
            make_tiny_model(Path(made) / "tiny"), model, ignore=shutil.ignore_patterns("README.md")
        )
    corpus.mkdir()
    for name, text in TEXTS.items():
        # With an article the embeddings of its texts go, its headings' among them: others are not to miss those.
        heading = "Elsewhere" if name in REMOVED else "Causes"
        (corpus / f"{name}.md").write_text(
            f"---\nid: {name}\ntitle: About {name}\naliases: [the {name} thing]\ntags: [body]\n---\n{text}. Nobody "
            f"knows all of it.\n\n## {heading}\n\nToo little {name} has many causes. A nurse can tell more about "
            f"{name}.\n"
        )
    (corpus / "notices.yaml").write_text(NOTICES)
    (corpus / "vocabulary.yaml").write_text("- [throwing up, vomiting]\n")
    lines = []
    for article_id, vitamin, part in COLLECTION:
        text = f"Vitamin {vitamin} keeps the {part} well."
        heading = "How" if article_id in REMOVED else "Why"
        section = {"id": f"{article_id}-1", "heading": heading, "text": text}
        lines.append({"id": article_id, "title": f"Vitamin {vitamin}", "sections": [section]})
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    collection = root / "collection.jsonl.gz"
    collection.write_bytes(gzip.compress(content, mtime=0))

    spelling.english_words = few_english_words
    build(BuildRequest(index, [corpus, collection], str(model)))
    code = run(["remove", *REMOVED, "--index", str(index)])
    if code:
        raise SystemExit(code)
    store_weights(index, 0.5)
    KeyRing(keys_file(index)).add("test", ("articles", "admin"))
    store = TaskStore(index)
    store.add(
        new_task_id(), "rebuild", {}, owner="test", idempotency_key=None, fingerprint="0", most=10
    )
    store.close()
    with KnowledgeBase.open(index) as opened:
        answers = {question: answer(opened, question) for question in QUESTIONS}
    (root / "answers.json").write_text(json.dumps(answers, indent=1))


def answer(opened: KnowledgeBase, question: str) -> dict[str, object]:
    """What an index answers, as JSON has it."""
    found = opened.search(question)
    cited = [result.citation for result in found.results]
    return {
        "answered": found.answered,
        "notices": [notice.id for notice in found.notices],
        "results": [[each.article_id, each.section_id, each.quote] for each in cited],
    }


def main() -> None:
    """Make it, and pack it."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        make(root)
        with tarfile.open(HERE / f"format-{FORMAT_VERSION}.tar.xz", "w:xz") as archive:
            for path in sorted(root.iterdir()):
                archive.add(path, path.name)


if __name__ == "__main__":
    main()
