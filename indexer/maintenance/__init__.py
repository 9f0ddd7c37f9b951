"""An index in use: its status, check, backup, rollback, purge, and the lint of its corpus."""
