"""`python -m ops.testbed.torture`: see `--help`."""

from ops.testbed.torture.command import main

if __name__ == "__main__":
    main()
