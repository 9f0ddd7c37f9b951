"""kb keys, as an operator meets it"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kb.storage.keys import KeyRing, keys_file
from kb_cli.main import run


def test_a_key_is_made_listed_and_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = ["--index", str(tmp_path)]
    assert run(["keys", "list", *index]) == 0
    assert "administration is off" in capsys.readouterr().err
    assert run(["keys", "add", "editor", "--scope", "admin", "--scope", "articles", *index]) == 0
    out, err = capsys.readouterr()
    ring = KeyRing(keys_file(tmp_path))
    key = ring.find(out.strip())
    assert key is not None
    assert (key.name, key.scopes) == ("editor", ("articles", "admin"))
    assert key.id in err
    assert out.strip() not in err
    assert run(["keys", "list", "--json", *index]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed.keys() == {"id", "name", "scopes", "created"}
    assert run(["keys", "revoke", key.id, *index]) == 0
    assert ring.find(out.strip()) is None
    assert run(["keys", "revoke", key.id, *index]) == 1


def test_the_file_can_stand_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_KEYS_FILE", str(tmp_path / "secrets" / "keys.json"))
    monkeypatch.chdir(tmp_path)
    assert run(["keys", "add", "monitor", "--scope", "admin"]) == 0
    assert KeyRing(tmp_path / "secrets" / "keys.json").find(capsys.readouterr().out.strip())
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("arguments", [["add", "a"], ["add", "a", "--scope", "root"], ["add"]])
def test_wrong_usage_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(["keys", *arguments, "--index", str(tmp_path)]) == 2
    assert not keys_file(tmp_path).exists()
