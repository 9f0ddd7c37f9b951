"""Attribute docstrings as field descriptions: the sentence under a field is what the OpenAPI document says of it.

The answers are the dataclasses of `kb.schema` as they are, and `kb` knows no pydantic. So pydantic is told from outside
to read their docstrings. Import this module before a route that answers with one of them is declared.
"""

from __future__ import annotations

import dataclasses

from pydantic import ConfigDict

from kb.schema import article, results, service

FIELD_DOCS = ConfigDict(use_attribute_docstrings=True)
"""The configuration of a shape whose fields are described by the docstrings under them."""

for _module in (article, results, service):
    for _shape in vars(_module).values():
        if isinstance(_shape, type) and dataclasses.is_dataclass(_shape):
            _shape.__pydantic_config__ = FIELD_DOCS  # type: ignore[attr-defined]
