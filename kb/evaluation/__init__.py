"""Judged questions: how good a ranking is, and weights fitted to them."""
