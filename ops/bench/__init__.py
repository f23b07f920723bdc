"""Measurements that are too long for a test: each a module, run with `python -m ops.bench.<name> --help`."""
