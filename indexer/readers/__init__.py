"""Given a file, the articles in it."""
