"""How long `kb add` takes for one article that a library has never seen, from the start of a fresh process.

    python benchmarks/one_article.py --index INDEX [--times N] [--cold]

Works on a copy of the live generation, without the cache of embeddings, in a temporary folder of the same file system.
`searchable` is when the new generation is live, `command` when the process has ended, old generations deleted;
`processor` is what it and its threads computed. With --cold, which takes root, nothing of the files is in memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from indexer.generations.last_build import last_build
from kb.knowledge_base import KnowledgeBase
from kb.storage.generation import current_generation, generation_path

ARTICLE = """---
id: {id}
title: Bouncing knee {id}
---

A knee that bounces while one sits is a habit of many.

## Why it happens

Restlessness, too much coffee, and boredom make a knee bounce. Iron deficiency is a rarer cause.

## What helps

Standing up now and then, and less coffee, calm the knee.
"""


def processor_s() -> float:
    """What the processes that have ended computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def add(index: Path, corpora: list[Path], article: Path) -> tuple[float, float, float]:
    """Seconds until the article is searchable, until the process has ended, and of processors."""
    before, computed = current_generation(index), processor_s()
    named = [argument for corpus in corpora for argument in ("--corpus", str(corpus))]
    command = [sys.executable, "-m", "kb_cli", "add", "--index", str(index), *named, str(article)]
    begun = time.monotonic()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while current_generation(index) == before and process.poll() is None:
        time.sleep(0.002)
    searchable = time.monotonic() - begun
    _, said = process.communicate()
    if process.returncode:
        sys.exit(said)
    return searchable, time.monotonic() - begun, processor_s() - computed


def main() -> None:
    """Print a line for each article, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--cold", action="store_true")
    given = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory(dir=given.index.resolve().parent) as name:
        index, corpus, incoming = (Path(name) / part for part in ("index", "corpus", "incoming"))
        for folder in (corpus, incoming):
            folder.mkdir()
        live = current_generation(given.index)
        shutil.copytree(generation_path(given.index, live), generation_path(index, live))
        (index / "CURRENT").write_text(f"{live}\n")
        corpora = [corpus, *last_build(given.index).corpora]
        for number in range(given.times):
            article = incoming / f"knee-{number}.md"
            article.write_text(ARTICLE.format(id=f"knee-{number}"))
            os.sync()
            if given.cold:
                Path("/proc/sys/vm/drop_caches").write_text("3\n")
            found.append(add(index, corpora, article))
            print("searchable {:.2f} s, command {:.2f} s, processor {:.2f} s".format(*found[-1]))
            with KnowledgeBase.open(index) as opened:
                first = opened.search(f"bouncing knee-{number}").results[0]
                assert first.citation.article_id == article.stem, first.citation
    medians = (statistics.median(column) for column in zip(*found, strict=True))
    print("medians: searchable {:.2f} s, command {:.2f} s, processor {:.2f} s".format(*medians))


if __name__ == "__main__":
    main()
