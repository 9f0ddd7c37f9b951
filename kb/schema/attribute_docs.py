"""The docstrings that stand under the attributes of a class."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from textwrap import dedent


def attribute_docs(kind: type) -> dict[str, str]:
    """Each documented attribute's docstring on one line, by name, read from the source of the class."""
    module = ast.parse(dedent(inspect.getsource(kind)))
    body = next(each.body for each in module.body if isinstance(each, ast.ClassDef))
    docs = {}
    for attribute, text in pairwise(body):
        match attribute, text:
            case ast.AnnAssign(ast.Name(name)), ast.Expr(ast.Constant(str(doc))):
                docs[name] = " ".join(doc.split())
    return docs
