"""The OpenAPI document: its words, examples and links."""
