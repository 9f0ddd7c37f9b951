"""The parts of a running application, each found by its type.

`create_app` provides them once. A route asks for the part it needs, and gets it typed: `part(request, Settings)`.
"""

from __future__ import annotations

from typing import TypeVar

from fastapi import FastAPI, Request

Part = TypeVar("Part")


def provide(app: FastAPI, *parts: object) -> None:
    """Make these the parts of an application, one of each type."""
    app.state.parts = {type(each): each for each in parts}


def part(owner: Request | FastAPI, kind: type[Part]) -> Part:
    """The part of that type, of an application or of the one that a request came to."""
    app = owner.app if isinstance(owner, Request) else owner
    found: Part = app.state.parts[kind]
    return found
