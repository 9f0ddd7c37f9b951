"""Given the name of a fixed file, its bytes: the stylesheet and the icon, held in memory.

The addresses carry a hash of the content, so that a browser may keep a file for good and still
gets the new one after an upgrade. Only names found in `static/` at the start can be asked for.
"""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

STATIC_DIR = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Asset:
    """One fixed file."""

    name: str
    content: bytes
    media_type: str

    @property
    def path(self) -> str:
        """The address to link to."""
        return f"/static/{self.name}?v={hashlib.sha256(self.content).hexdigest()[:12]}"


def load_assets() -> dict[str, Asset]:
    """Every file of `static/`, by name."""
    return {
        file.name: Asset(
            file.name,
            file.read_bytes(),
            mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        )
        for file in sorted(STATIC_DIR.iterdir())
        if file.is_file()
    }


def assets_router(assets: dict[str, Asset]) -> APIRouter:
    """The route that serves them."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/static/{name:path}", methods=["GET", "HEAD"])
    def static(name: str) -> Response:
        asset = assets.get(name)
        if asset is None:
            raise HTTPException(404)
        return Response(
            asset.content,
            media_type=asset.media_type,
            headers={"Cache-Control": "public, max-age=31536000, immutable"},
        )

    return router
