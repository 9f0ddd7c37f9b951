"""Texts to vectors: models, devices, the cache, and rows on disk."""
