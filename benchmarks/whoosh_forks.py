"""Compares the three packages that install a module named ``whoosh``.

For each package this makes a virtual environment in a temporary folder, installs the pinned
version there, and runs this same file in it as a child process. The child indexes one document
per section of the first N articles (fields title, aliases, heading and text, all through
``StemmingAnalyzer``, with positions kept for text alone), reads out every posting of the field
text, and asks every question (an ``OrGroup`` ``MultifieldParser`` over the four fields with the
default plugins, which take a closing ``?`` for a wildcard). The table printed has, per package:

- index s: seconds to add all documents and commit them as one segment
- postings s: seconds to step through all postings of text, term by term, reading id and weight
- import ms: ``import whoosh.analysis, whoosh.index`` in a fresh interpreter (median of five)
- p50 ms, p95 ms: parsing and searching one question at limit 10
- index MB: bytes of the index files
- postings, tokens: how many postings text has, and the sum of their weights
- same as X: questions whose first 10 results, in order, are those that package X gives

Times are the least of ``--rounds`` runs, the packages taking turns. From the repository root:

    python benchmarks/whoosh_forks.py
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGES = {"whoosh": "2.7.4", "whoosh-reloaded": "2.7.5", "whoosh3": "3.54.0"}
FIELDS = ("title", "aliases", "heading", "text")
LIMIT = 10
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "medquad"
IMPORT_TIMER = (
    "import time; start = time.perf_counter(); import whoosh.analysis, whoosh.index; "
    "print(time.perf_counter() - start)"
)


def read_sections(collection: Path, articles: int) -> Iterator[dict[str, str]]:
    """Yields one document per section of the first articles of the collection."""
    with gzip.open(collection, "rt", encoding="utf-8") as lines:
        for line in itertools.islice(lines, articles):
            article = json.loads(line)
            for section in article["sections"]:
                yield {
                    "id": section["id"],
                    "title": article["title"],
                    "aliases": " ; ".join(article["aliases"]),
                    "heading": section["heading"],
                    "text": section["text"],
                }


def read_questions(topics: Path) -> list[str]:
    with topics.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines if line.strip()]


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Runs in the child: everything that needs whoosh itself."""
    from whoosh import analysis, fields, index, qparser  # noqa: PLC0415

    documents = list(read_sections(args.collection, args.articles))
    questions = read_questions(args.topics)
    schema = fields.Schema(id=fields.ID(stored=True))
    for name in FIELDS:
        analyzer = analysis.StemmingAnalyzer()
        schema.add(name, fields.TEXT(analyzer=analyzer, phrase=name == "text"))

    with tempfile.TemporaryDirectory(prefix="whoosh-index-") as folder:
        start = time.perf_counter()
        ix = index.create_in(folder, schema)
        writer = ix.writer()
        for document in documents:
            writer.add_document(**document)
        writer.commit()
        index_s = time.perf_counter() - start

        start = time.perf_counter()
        postings, weights = 0, 0.0
        with ix.reader() as reader:
            for term in reader.lexicon("text"):
                matcher = reader.postings("text", term)
                while matcher.is_active():
                    matcher.id()
                    weights += matcher.weight()
                    postings += 1
                    matcher.next()
        postings_s = time.perf_counter() - start

        parser = qparser.MultifieldParser(list(FIELDS), schema, group=qparser.OrGroup)
        query_ms, results = [], []
        with ix.searcher() as searcher:
            for question in questions:
                start = time.perf_counter()
                hits = searcher.search(parser.parse(question), limit=LIMIT)
                found = [hit["id"] for hit in hits]
                query_ms.append((time.perf_counter() - start) * 1000)
                results.append(found)
        ix.close()
        size = sum(file.stat().st_size for file in Path(folder).iterdir())

    measured = {"documents": len(documents), "postings": postings, "tokens": round(weights)}
    times = {"index_s": index_s, "postings_s": postings_s, "query_ms": query_ms}
    return {**measured, **times, "bytes": size, "results": results}


def install(package: str, version: str, folder: Path) -> Path:
    """Makes a virtual environment with the package, and returns its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"{package}=={version}"], check=True)
    return python


def run_child(python: Path, args: argparse.Namespace) -> dict[str, Any]:
    command = [str(python), __file__, "--child", "--articles", str(args.articles)]
    command += ["--collection", str(args.collection), "--topics", str(args.topics)]
    child = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    run: dict[str, Any] = json.loads(child.stdout)
    timer = [str(python), "-c", IMPORT_TIMER]
    run["imports"] = [float(subprocess.check_output(timer, text=True)) for _ in range(5)]
    return run


def table(runs: dict[str, list[dict[str, Any]]]) -> str:
    """The Markdown table: a row for each package, over all its runs."""
    titles = ["package", "index s", "postings s", "import ms", "p50 ms", "p95 ms", "index MB"]
    titles += ["postings", "tokens", *(f"same as {package}" for package in runs)]
    rows = [titles, ["---", *["---:"] * (len(titles) - 1)]]
    for package, own in runs.items():
        first = own[0]
        fastest = [min(times) for times in zip(*(run["query_ms"] for run in own), strict=True)]
        row = [
            f"{package} {PACKAGES[package]}",
            f"{min(run['index_s'] for run in own):.1f}",
            f"{min(run['postings_s'] for run in own):.2f}",
            f"{min(statistics.median(run['imports']) for run in own) * 1000:.0f}",
            f"{statistics.median(fastest):.1f}",
            f"{statistics.quantiles(fastest, n=20, method='inclusive')[-1]:.1f}",
            f"{first['bytes'] / 1e6:.2f}",
            str(first["postings"]),
            str(first["tokens"]),
        ]
        for other in runs.values():
            pairs = zip(first["results"], other[0]["results"], strict=True)
            row.append(f"{sum(mine == theirs for mine, theirs in pairs)}/{len(first['results'])}")
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--collection", type=Path, default=DATA / "articles.jsonl.gz")
    parser.add_argument("--topics", type=Path, default=DATA / "topics.dev.jsonl")
    parser.add_argument("--articles", type=int, default=1500, help="how many articles to index")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each package")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.articles < 1 or args.rounds < 1:
        parser.error("--articles and --rounds must be at least 1")
    for path in (args.collection, args.topics):
        if not path.is_file():
            print(f"whoosh_forks: there is no file at {path}", file=sys.stderr)
            return 2
    if args.child:
        json.dump(measure(args), sys.stdout)
        return 0

    runs: dict[str, list[dict[str, Any]]] = {package: [] for package in PACKAGES}
    with tempfile.TemporaryDirectory(prefix="whoosh-forks-") as folder:
        places = {package: Path(folder) / package for package in PACKAGES}
        pythons = {name: install(name, PACKAGES[name], place) for name, place in places.items()}
        for number in range(1, args.rounds + 1):
            for package, python in pythons.items():
                print(f"round {number}: {package}", file=sys.stderr, flush=True)
                runs[package].append(run_child(python, args))
    documents, python_version = runs["whoosh"][0]["documents"], sys.version.split()[0]
    print(f"{documents} documents; Python {python_version}; best of {args.rounds}\n")
    print(table(runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
