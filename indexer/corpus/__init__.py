"""The corpus on disk: found, read, edited and watched."""
