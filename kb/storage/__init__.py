"""The contents of an index folder: generations, articles, keys, and durable writes."""
