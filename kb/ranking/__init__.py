"""One score made of several signals, and the order that is shown."""
