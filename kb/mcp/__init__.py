"""A library of articles as tools for assistants, by the Model Context Protocol.

Needs `pip install 'sectioned-kb[mcp]'`.
"""
