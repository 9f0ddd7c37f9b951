"""Metrics, traces and the query log. Nothing that a client chose is written."""
