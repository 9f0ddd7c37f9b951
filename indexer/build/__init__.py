"""Corpora in, a published generation out."""
