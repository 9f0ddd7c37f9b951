"""Fixed files, held in memory: stylesheet, scripts and icon.

Their addresses hold a hash of all of them. A browser may keep a file for good and still gets the new one after an
upgrade. Scripts load each other by name and so stay of one version. Only names found in `static/` at start are served.
The web component for other sites has an address of its own that never changes.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from search_api.http.representation import require_media_type

STATIC_DIR = Path(__file__).parents[1] / "static"

COMPONENT_FILE = "kb-search.js"
"""The file that other sites load, at `/kb-search.js`."""

_FOR_GOOD = "public, max-age=31536000, immutable"
_FOR_AN_HOUR = "public, max-age=3600"


@dataclass(frozen=True, slots=True)
class Asset:
    """One fixed file; `version` is shared by all of them."""

    name: str
    content: bytes
    media_type: str
    version: str

    @property
    def path(self) -> str:
        """The address to link to."""
        return f"/static/{self.version}/{self.name}"


def load_assets(folder: Path = STATIC_DIR) -> dict[str, Asset]:
    """Every file of `static/`, or of another folder, by name."""
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name} {len(content)}\n".encode() + content)
    version = digest.hexdigest()[:12]
    return {
        name: Asset(name, content, _media_type(name), version)
        for name, content in sorted(files.items())
    }


def assets_router(assets: Mapping[str, Asset]) -> APIRouter:
    """The routes that serve them."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{version}/{name}", response_class=Response)
    def static(request: Request, version: str, name: str) -> Response:
        asset = assets.get(name)
        if asset is None:
            raise HTTPException(404)
        require_media_type(request, asset.media_type)
        # A page from before an upgrade may ask for its own version: it gets what there is, for once.
        kept = _FOR_GOOD if version == asset.version else "no-cache"
        return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": kept})

    @router.get(f"/{COMPONENT_FILE}", response_class=Response)
    def component(request: Request) -> Response:
        asset = assets[COMPONENT_FILE]
        require_media_type(request, asset.media_type)
        tag = f'"{asset.version}"'
        headers = {
            "Cache-Control": _FOR_AN_HOUR,
            "ETag": tag,
            # It is made to be loaded by other sites, as a script or as a module, and holds no answer.
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Access-Control-Allow-Origin": "*",
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(asset.content, media_type=asset.media_type, headers=headers)

    return router


def _media_type(name: str) -> str:
    # Not what the machine's own tables say of scripts: a browser refuses some of those names.
    if name.endswith(".js"):
        return "text/javascript"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
