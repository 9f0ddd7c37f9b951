"""Attribute docstrings as field descriptions: the sentence under a field is what the OpenAPI document says of it.

The answers are the dataclasses of `kb.schema` as they are, and `kb` knows no pydantic. So their fields are given their
sentences here, once, when this module is imported, and before a route that answers with one of them is declared. For
pydantic to read the source itself, with each new `TypeAdapter` and in any thread, is not safe: in Python 3.11 two
threads that parse at once get a SystemError (https://github.com/python/cpython/issues/106905).
"""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

from pydantic import ConfigDict

from kb.schema import article, results, service
from kb.schema.attribute_docs import attribute_docs

FIELD_DOCS = ConfigDict(use_attribute_docstrings=True)
"""The configuration of a model of the service whose fields are described by the docstrings under them."""

for _module in (article, results, service):
    for _shape in vars(_module).values():
        if isinstance(_shape, type) and dataclasses.is_dataclass(_shape):
            for _name, _doc in attribute_docs(_shape).items():
                _field = _shape.__dataclass_fields__[_name]
                # pydantic takes what a field's metadata say as arguments of its own `Field`.
                _field.metadata = MappingProxyType({**_field.metadata, "description": _doc})
