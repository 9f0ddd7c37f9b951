"""The docstrings under the attributes of a class."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from textwrap import dedent


def attribute_docs(kind: type) -> dict[str, str]:
    """The docstring of each documented attribute, on one line, by name. Read from the source of the class."""
    module = ast.parse(dedent(inspect.getsource(kind)))
    body = next(each.body for each in module.body if isinstance(each, ast.ClassDef))
    docs = {}
    for attribute, text in pairwise(body):
        match attribute, text:
            case ast.AnnAssign(ast.Name(name)), ast.Expr(ast.Constant(str(doc))):
                docs[name] = " ".join(doc.split())
    return docs
