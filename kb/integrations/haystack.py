"""A Haystack component over an index folder or a service. Needs the extra `haystack`.

    from kb.integrations.haystack import KnowledgeBaseRetriever
    retriever = KnowledgeBaseRetriever(index="index", top_k=5)
    documents = retriever.run("why do my legs jerk when I fall asleep")["documents"]

By default, Haystack reports each run of a pipeline to its makers (kb.reporting.telemetry). It can also put the inputs
of components into traces. Questions here are health data, so importing this module turns both off for the process,
whatever the environment says.
"""

from __future__ import annotations

import asyncio

from haystack import Document, component
from haystack.telemetry import _telemetry
from haystack.tracing.tracer import tracer
from haystack.utils import Secret

from kb.integrations.passages import LazyLibrary, Wanted

_telemetry.telemetry = None  # if haystack was imported earlier
tracer.is_content_tracing_enabled = False


@component
class KnowledgeBaseRetriever:
    """Passages as documents: `content` word for word, `meta` with the citation, `score`, `id` the passage's.

    Give either `index`, the folder of an index, or `url`, the address of a service, with its `api_key` if it needs one.
    A Secret from an environment variable can be saved with a pipeline, a token cannot. `base_url` is the public address
    for the links of a folder. `top_k`, 1 to 100, is the maximum number of passages. `topic` and `source` (a host) are
    filters: one value or a list, of which any matches; a value that begins with `-` excludes. `nearest` returns the
    nearest passages even if the library has no answer. `notices` puts the publisher's emergency notices first. The
    library is opened by `warm_up` or by the first question. Raises the kinds of kb.schema.errors.KbError.
    """

    def __init__(
        self,
        index: str | None = None,
        url: str | None = None,
        api_key: Secret | None = None,
        base_url: str = "",
        top_k: int = 10,
        topic: str | list[str] | None = None,
        source: str | list[str] | None = None,
        nearest: bool = False,
        notices: bool = True,
    ) -> None:
        self.index = index
        self.url = url
        self.api_key = api_key
        self.base_url = base_url
        self.top_k = top_k
        self.topic = topic
        self.source = source
        self.nearest = nearest
        self.notices = notices
        key = api_key.resolve_value() if api_key else None
        self._library = LazyLibrary(index, url, key, base_url)

    def warm_up(self) -> None:
        """Open the library."""
        self._library.open()

    def close(self) -> None:
        """Close the index or the connections."""
        self._library.close()

    @component.output_types(documents=list[Document])
    def run(self, query: str, top_k: int | None = None) -> dict[str, list[Document]]:
        """The passages that answer `query`, the best first. `top_k` overrides the component's own."""
        wanted = Wanted(
            limit=self.top_k if top_k is None else top_k,
            topic=self.topic,
            source=self.source,
            nearest=self.nearest,
            notices=self.notices,
        )
        documents = [
            Document(id=found.id, content=found.text, meta=found.metadata, score=found.score)
            for found in self._library.retrieve(query, wanted)
        ]
        return {"documents": documents}

    @component.output_types(documents=list[Document])
    async def run_async(self, query: str, top_k: int | None = None) -> dict[str, list[Document]]:
        """The same as `run`, to await."""
        return await asyncio.to_thread(self.run, query, top_k)
