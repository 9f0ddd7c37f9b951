"""The lines of docs/integrations.md, with a question that sounds like an emergency."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from support.questions import EMERGENCY, QUESTION

PAGE = (Path(__file__).parents[3] / "docs" / "integrations.md").read_text(encoding="utf-8")
AFTERWARDS = """
found = {
    "langchain": [each.metadata for each in documents],
    "llama_index": [each.node.metadata for each in nodes],
    "haystack": [
        each.meta
        for each in pipeline.run({"retriever": {"query": question}})["retriever"]["documents"]
    ],
}
print(json.dumps(found))
"""


def test_the_documented_lines_give_a_notice_first_with_the_metadata_of_the_others(
    index_path: Path, service_url: str, tmp_path: Path
) -> None:
    start = PAGE.index("## LangChain, LlamaIndex and Haystack")
    lines = re.split(r"```(?:python)?\n", PAGE[start:])[1]
    assert lines.count(QUESTION) == 1
    script = lines.replace(QUESTION, EMERGENCY).replace("http://127.0.0.1:8000", service_url)
    assert service_url in script
    (tmp_path / "index").symlink_to(index_path)
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            f"import json\nfrom haystack import Pipeline\npipeline = Pipeline()\n{script}{AFTERWARDS}",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    title, printed = done.stdout.strip().split("\n")
    found = json.loads(printed)
    names = {tuple(each) for documents in found.values() for each in documents}
    assert len(names) == 1
    told = re.search(r"Its metadata are.*?\n\n", PAGE, re.DOTALL)
    assert told is not None
    assert set(names.pop()) <= set(re.findall(r"`(\w+)`", told[0]))
    for documents in found.values():
        first, *others = documents
        assert (first["kind"], first["article_title"]) == ("notice", title)
        assert others
        assert {each["kind"] for each in others} == {"passage"}
