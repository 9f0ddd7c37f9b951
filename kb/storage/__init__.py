"""What lies in an index folder: generations, articles, keys, and writing that survives a power cut."""
