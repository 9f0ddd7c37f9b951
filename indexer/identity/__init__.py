"""Which article has which id: naming, the ledger of ids, and renames."""
