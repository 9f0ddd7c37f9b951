"""Given an engine's name, what is measured. Each is imported only when it is filled or opened."""

from __future__ import annotations

from importlib import import_module

from benchmarks.peers.engines.base import Engine

NAMES = {
    "own": "own.Own",
    "txtai": "txtai.Txtai",
    "lancedb": "lancedb.LanceDB",
    "milvus": "milvus.MilvusLite",
    "haystack": "haystack.Haystack",
    "sqlite": "sqlite.SQLite",
    "plain": "plain.PlainFusion",
    "words": "own.OwnWords",
    "bm25s": "bm25s.BM25S",
    "tantivy": "tantivy.Tantivy",
    "whoosh": "whoosh.Whoosh",
    "faiss": "faiss.Faiss",
    "usearch": "usearch.USearch",
    "hnswlib": "hnswlib.HNSWLib",
    "numpy": "exact.Exact",
}
"""Engines in the order of the tables: this project, hybrids, keywords alone, vectors alone."""


def engine(name: str) -> Engine:
    """The engine of that name, not yet open."""
    module, _, kind = NAMES[name].partition(".")
    found: Engine = getattr(import_module(f"{__name__}.{module}"), kind)()
    return found
