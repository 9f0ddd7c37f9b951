"""search_api.pages.assets: fixed files under addresses that change with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from search_api.pages import assets


def test_one_changed_file_changes_every_address(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("import './b.js'")
    (tmp_path / "b.js").write_text("1")
    before = {name: asset.path for name, asset in assets.load_assets(tmp_path).items()}
    assert before.keys() == {"a.js", "b.js"}
    (tmp_path / "b.js").write_text("2")
    after = {name: asset.path for name, asset in assets.load_assets(tmp_path).items()}
    assert not set(before.values()) & set(after.values())


def test_a_file_is_kept_for_good_only_under_its_own_version(client: TestClient) -> None:
    path = assets.load_assets()["main.js"].path
    assert "immutable" in client.get(path).headers["cache-control"]
    old = client.get("/static/000000000000/main.js")
    assert old.content == client.get(path).content
    assert old.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["x/nope.js", "x/../assets.py", "x/%2e%2e/assets.py", "main.js"])
def test_nothing_else_can_be_had(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404
