"""`notices.yaml` and `vocabulary.yaml`: read, checked and compiled."""
