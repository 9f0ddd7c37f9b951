"""What holds of every index, however its articles came in."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from indexer.maintenance.inspection import inspect
from kb.knowledge_base import KnowledgeBase
from kb.schema.results import SearchResponse, SearchResult
from kb_cli.main import run
from support.crashes.workers import ROOT
from support.library import Library, held

LONG = "A sentence about the moon and its phases, which nobody reads to the end. " * 60


def test_every_quote_stands_at_its_offsets_and_passages_cover_each_section(
    library: Library,
) -> None:
    (library.corpus / "long.md").write_text(f"# Long\n\n{LONG}\n\n## Part\n\n{LONG}\n")
    for word in ("one", "two"):  # once in a build of its own, and then patched
        library.put("article-0", word)
        library.build()
        assert [each.damage for each in inspect(library.index)] == [None, None]
        with KnowledgeBase.open(library.index) as opened:
            for question in ("moon phases", "cause", '"nobody"', "ar*"):
                for result in opened.search(question, 100).results:
                    citation = result.citation
                    section = opened.article(citation.article_id).section(citation.section_id)
                    assert section is not None
                    assert section.text[citation.start : citation.end] == citation.quote


def test_the_first_k_results_are_those_of_k_plus_one(library: Library) -> None:
    library.put("article-7", "salt")
    library.build()
    with KnowledgeBase.open(library.index) as opened:
        for question in ("cause of salt", "what comes first", '"the cause"', "ar*"):
            whole = in_order(opened.search(question, 30))
            for count in range(1, len(whole)):
                assert in_order(opened.search(question, count)) == whole[:count]
                assert in_order(opened.search(question, 1, count)) == whole[count : count + 1]


def in_order(response: SearchResponse) -> list[SearchResult]:
    """The results without the sections folded under them: those that stand on the page by themselves are not."""
    return [replace(result, also=()) for result in response.results]


def test_a_removed_article_is_in_no_answer_list_file_or_cache(library: Library) -> None:
    library.put("article-6", "xylophone")
    library.build()
    cache = library.index / "cache" / "embeddings.sqlite"

    def kept() -> set[bytes]:
        connection = sqlite3.connect(cache)
        try:
            return {row[0] for row in connection.execute("SELECT digest FROM vectors")}
        finally:
            connection.close()

    before = kept()
    common = ("--index", str(library.index), "--corpus", str(library.corpus))
    assert run(["remove", "article-6", *common]) == 0
    with KnowledgeBase.open(library.index) as opened:
        assert "article-6" not in {summary.id for summary in opened.articles()}
        for question in ("xylophone", '"xylophone"', "xyl*", "article-6"):
            cited = {r.citation.article_id for r in opened.search(question, 100).results}
            assert "article-6" not in cited
    for path in library.live().rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"xylophone" not in content or path.suffix == ".seg", path
    assert len(kept()) < len(before)
    assert run(["gc", "--keep", "1", "--index", str(library.index)]) == 0
    assert b"xylophone" not in b"".join(
        path.read_bytes() for path in (library.index / "cache").rglob("*") if path.is_file()
    )
    assert held(library.index).keys() == library.texts.keys() - {"article-6"}


def test_the_same_bytes_give_the_same_index_in_any_locale_and_hash_seed(
    library: Library, tmp_path: Path
) -> None:
    library.put("article-7", "Iğdır")
    (library.corpus / "ß.md").write_text("# Straße\n\nÉine Straße, ’tis İstanbul.\n")
    script = "import sys; from kb_cli.main import run; sys.exit(run(sys.argv[1:]))"
    environments = (
        {"PYTHONHASHSEED": "1", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Tokyo"},
    )
    found = []
    for number, environment in enumerate(environments):
        copy = library.copy(tmp_path / f"copy-{number}")
        done = subprocess.run(
            [
                *(sys.executable, "-c", script, "build", "--json", "--index", str(copy.index)),
                *("--corpus", str(copy.corpus), "--model", copy.model),
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["published"]
        folder = copy.live()
        paths = [*folder.rglob("*.npy"), folder / "articles.sqlite", folder / "sources.json"]
        found.append(
            {
                path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in paths
            }
        )
    assert len(found[0]) > 20
    assert found[0] == found[1]
