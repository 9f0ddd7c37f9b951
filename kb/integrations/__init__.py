"""Retrievers for LangChain, LlamaIndex and Haystack. Each module needs the extra of its name."""
