"""`python -m kb_cli`: the command line without the installed script."""

from kb_cli import main

main()
