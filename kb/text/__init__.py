"""Words: analysis, hashes, distances, language, and what a word counts."""
