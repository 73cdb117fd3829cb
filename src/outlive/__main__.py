"""`python -m outlive`: the same as the `outlive` command."""

from outlive.cli import main

main()
