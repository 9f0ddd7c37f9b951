"""Builds: from corpora to a published generation."""
