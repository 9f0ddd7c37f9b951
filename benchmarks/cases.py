"""Given a folder of cases and an index that holds their articles: which of them are answered as they should be.

    kb build --index INDEX --corpus corpus --corpus DIR/NAME/corpus ...
    python benchmarks/cases.py DIR --index INDEX [--kind NAME ...] [--misses]

Each kind is a folder of DIR with a `cases.json`: a list of `{"variant", "question", "options", "expected"}`.
`options` are those of `KnowledgeBase.search`. `expected` has `article` and `section`, either of them null, which
should come first, and `answered_not`, a verdict that would be wrong. Prints a line for each kind, and with `--misses`
one for each that is not right.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from kb import KnowledgeBase


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--index", type=Path, default=Path("index"))
    parser.add_argument("--kind", action="append", default=[], help="the beginning of a folder")
    parser.add_argument("--misses", action="store_true")
    given = parser.parse_args()
    files = [
        file
        for file in sorted(given.folder.glob("*/cases.json"))
        if not given.kind or file.parent.name.startswith(tuple(given.kind))
    ]
    if not files:
        raise SystemExit(f"{given.folder}: has no folder of that kind with a cases.json")
    all_right = total = 0
    with KnowledgeBase.open(given.index) as knowledge_base:
        for file in files:
            cases = json.loads(file.read_text(encoding="utf-8"))
            missed = [told for case in cases if (told := miss(knowledge_base, case))]
            right = len(cases) - len(missed)
            all_right, total = all_right + right, total + len(cases)
            print(f"{file.parent.name}: {right} of {len(cases)}")
            if given.misses:
                print(*(f"    {told}" for told in missed), sep="\n", end="\n" if missed else "")
    print(f"all: {all_right} of {total}")


def miss(knowledge_base: KnowledgeBase, case: dict[str, Any]) -> str:
    """What came instead of what is expected, or an empty text where it came."""
    response = knowledge_base.search(case["question"], 3, **case.get("options", {}))
    places = [(each.citation.article_id, each.citation.section_id) for each in response.results]
    expected = case["expected"]
    wanted = (expected.get("article"), expected.get("section"))
    first = places[0] if places else ("", "")
    right = all(want in (None, got) for want, got in zip(wanted, first, strict=True))
    if right and response.answered != expected.get("answered_not"):
        return ""
    came = " ".join("#".join(place) for place in places)
    return f"{case['question']!r} wants {wanted}; {response.answered}: {came or 'nothing'}"


if __name__ == "__main__":
    main()
