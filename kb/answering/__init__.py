"""A ranking made into cited results: quotes, excerpts, reasons, facets and what is related."""
