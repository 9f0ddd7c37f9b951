"""Ends of a writer at any moment: power cuts by what was synced, and processes that are killed."""
