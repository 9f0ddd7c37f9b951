"""Each file of a generation, written anew or merged from two."""
