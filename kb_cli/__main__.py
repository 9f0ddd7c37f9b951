"""`python -m kb_cli`: the command line, for whoever has the package and not its script."""

from kb_cli import main

main()
