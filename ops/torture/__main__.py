"""`python -m ops.torture`: see `--help`."""

from ops.torture.command import main

if __name__ == "__main__":
    main()
