"""From a ranking to cited results: quotes, excerpts, reasons, facets and related passages."""
