"""The worker: accepted changes into the corpus, and builds into the index."""
