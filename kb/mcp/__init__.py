"""A library of articles as tools for assistants, through the Model Context Protocol.

Needs the extra `mcp`.
"""
