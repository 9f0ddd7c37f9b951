"""No word of a question comes back as an unknown option"""

from __future__ import annotations

from pathlib import Path

import pytest

from kb_cli.main import run


@pytest.mark.parametrize("question", [["why", "-itch"], ["--secretword", "foo"], ["-secretword"]])
def test_a_dash_in_a_question_is_part_of_it(
    index_path: Path, question: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["search", "--index", str(index_path), *question]) == 0
    assert "secretword" not in capsys.readouterr().err
