"""`python -m ops.cli`: the same as `orderfleet`."""

from ops.cli.main import main

main()
