"""Readers of files: one module a format, and the table of all forms."""
