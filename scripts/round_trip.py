"""Search an index, add to its corpus, build, search again and serve, with what is installed beside this Python.

    python round_trip.py INDEX CORPUS       (the corpus is the index's own; make sanity)

Fails where there is a compiler, a compiled part, torch or FAISS: what is checked is that none of them is needed.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

ABSENT = ("faiss", "kb.compute._native", "sentence_transformers", "torch", "transformers")
COMPILERS = ("cc", "clang", "gcc")
ARTICLE = """---
id: quokka-bites
title: Quokka bites
---
A bite of a quokka is washed with soap and water.

## When to see somebody

Go to a doctor when the bite swells.
"""
QUESTION = "what to do about quokka bites"


def kb(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "kb_cli", *map(str, arguments)]


def found(index: Path) -> list[str]:
    """The articles that the question leads to, best first."""
    command = kb("search", QUESTION, "--json", "--index", index)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [each["citation"]["article_id"] for each in json.loads(done.stdout)["results"]]


def get(address: str, target: str) -> bytes:
    connection = HTTPConnection(address, timeout=60)
    connection.request("GET", target)
    with connection.getresponse() as answer:
        assert answer.status == 200, answer.status
        return answer.read()


def served(index: Path) -> list[str]:
    """The same of a service, which then has to end well."""
    command = kb("serve", "--port", "0", "--index", index)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as service:
        assert service.stderr is not None
        lines = iter(service.stderr.readline, "")
        address = next(told[1] for line in lines if (told := re.search(r"on http://(\S+)", line)))
        answer = json.loads(get(address, f"/api/v1/search?q={QUESTION.replace(' ', '+')}"))
        assert b"quokka" in get(address, "/?q=quokka")
        service.send_signal(signal.SIGTERM)
        service.stderr.read()
    assert service.returncode == 0, service.returncode
    return [each["citation"]["article_id"] for each in answer["results"]]


def main() -> int:
    index, corpus = map(Path, sys.argv[1:])
    there = [name for name in ABSENT if importlib.util.find_spec(name)]
    there += [name for name in COMPILERS if shutil.which(name)]
    assert not there, f"these are here: {there}"
    assert "quokka-bites" not in found(index)
    (corpus / "quokka-bites.md").write_text(ARTICLE, encoding="utf-8")
    subprocess.run(kb("build", "--index", index, "--corpus", corpus), check=True)
    assert found(index)[0] == "quokka-bites"
    assert served(index)[0] == "quokka-bites"
    print("searched, built and served", sys.version.split()[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
