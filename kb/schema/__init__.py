"""The values that go in and out: articles, results, filters, requests, errors."""
