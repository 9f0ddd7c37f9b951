"""A LangChain retriever over an index folder or a service. Needs the extra `langchain`.

    from kb.integrations.langchain import KnowledgeBaseRetriever
    retriever = KnowledgeBaseRetriever(index="index", limit=5)
    documents = retriever.invoke("why do my legs jerk when I fall asleep")

LangChain sends questions to LangSmith if LANGSMITH_TRACING is set. Questions here are health data, so importing this
module turns that off for the process, whatever the environment says. `langsmith.configure(enabled=True)` after the
import turns it on again.
"""

from __future__ import annotations

import asyncio
from typing import Any

import langsmith
from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, PrivateAttr, SecretStr

from kb.integrations.passages import LazyLibrary, Wanted

langsmith.configure(enabled=False)


class KnowledgeBaseRetriever(BaseRetriever):
    """Passages as documents: `page_content` word for word, `metadata` with the citation, `id` the passage's.

    Give either `index` or `url`. `invoke(question, limit=3)` asks for another number of passages. Raises the kinds of
    kb.schema.errors.KbError. An index is opened when the retriever is made, so an unusable one is reported then.
    """

    index: str | None = None
    """The folder of an index."""
    url: str | None = None
    """The address of a service."""
    api_key: SecretStr | None = None
    """The service's key, if it needs one."""
    base_url: str = ""
    """The public address, for the links of an index folder."""
    limit: int = Field(default=10, ge=1, le=100)
    """Maximum number of passages."""
    topic: str | list[str] | None = None
    """Only articles with this topic, or with any in a list. A topic that begins with `-` is excluded."""
    source: str | list[str] | None = None
    """Only articles published at this host, or at any in a list. A host that begins with `-` is excluded."""
    nearest: bool = False
    """Return the nearest passages even if the library has no answer."""
    notices: bool = True
    """Put the publisher's emergency notices first, as separate documents."""

    _library: LazyLibrary = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Open the library."""
        super().model_post_init(context)
        key = self.api_key.get_secret_value() if self.api_key else None
        self._library = LazyLibrary(self.index, self.url, key, self.base_url)
        self._library.open()

    def close(self) -> None:
        """Close the index or the connections."""
        self._library.close()

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002  (its name makes LangChain pass `limit` on)
        limit: int | None = None,
    ) -> list[Document]:
        return self._documents(query, limit)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
        limit: int | None = None,
    ) -> list[Document]:
        return await asyncio.to_thread(self._documents, query, limit)

    def _documents(self, question: str, limit: int | None) -> list[Document]:
        wanted = Wanted(
            limit=self.limit if limit is None else limit,
            topic=self.topic,
            source=self.source,
            nearest=self.nearest,
            notices=self.notices,
        )
        return [
            Document(page_content=found.text, metadata=found.metadata, id=found.id)
            for found in self._library.retrieve(question, wanted)
        ]
