"""A LlamaIndex retriever over an index folder or a service. Needs the extra `llama-index`.

    from kb.integrations.llama_index import KnowledgeBaseRetriever
    nodes = KnowledgeBaseRetriever(index="index", limit=5).retrieve("why do my legs jerk when I fall asleep")

LlamaIndex reports nothing unless a program gives it a handler.
"""

from __future__ import annotations

import asyncio

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from kb.integrations.passages import LazyLibrary, Retrieved, Wanted
from kb.schema.filters import FilterValues

MODEL_METADATA = frozenset(
    {"article_title", "section_heading", "url", "updated", "reviewed", "kind"}
)
"""The metadata that a language model sees beside a passage, unless empty. The rest is for programs."""


class KnowledgeBaseRetriever(BaseRetriever):
    """Passages as text nodes with scores: `text` word for word, `metadata` with the citation, `id_` the passage's.

    Give either `index`, the folder of an index, or `url`, the address of a service, with its `api_key` if it needs one.
    `base_url` is the public address for the links of a folder. `limit`, 1 to 100, is the maximum number of passages.
    `topic` and `source` (a host) are filters: one value or a list, of which any matches; a value that begins with `-`
    excludes. `nearest` returns the nearest passages even if the library has no answer. `notices` puts the publisher's
    emergency notices first. Raises the kinds of kb.schema.errors.KbError; an unusable index is reported at once.
    """

    def __init__(
        self,
        index: str | None = None,
        *,
        url: str | None = None,
        api_key: str | None = None,
        base_url: str = "",
        limit: int = 10,
        topic: FilterValues | None = None,
        source: FilterValues | None = None,
        nearest: bool = False,
        notices: bool = True,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        super().__init__(callback_manager=callback_manager)
        self._library = LazyLibrary(index, url, api_key, base_url)
        self._wanted = Wanted(
            limit=limit, topic=topic, source=source, nearest=nearest, notices=notices
        )
        self._library.open()

    def close(self) -> None:
        """Close the index or the connections."""
        self._library.close()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [
            _node(found) for found in self._library.retrieve(query_bundle.query_str, self._wanted)
        ]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def _node(found: Retrieved) -> NodeWithScore:
    hidden = [
        name
        for name, value in found.metadata.items()
        if name not in MODEL_METADATA or value is None or value == ""
    ]
    node = TextNode(
        id_=found.id,
        text=found.text,
        metadata=found.metadata,
        excluded_llm_metadata_keys=hidden,
        excluded_embed_metadata_keys=hidden,
    )
    return NodeWithScore(node=node, score=found.score)
