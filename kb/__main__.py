"""`python -m kb`: the command line, for whoever has the package and not its script."""

from kb.cli import main

main()
