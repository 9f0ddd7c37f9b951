"""Public values: articles, requests, filters, results, errors."""
