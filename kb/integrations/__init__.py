"""Retrievers of other libraries over this one's answers. Each module needs the extra of its name."""
