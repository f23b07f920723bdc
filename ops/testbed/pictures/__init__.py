"""Pictures of the console: `python -m ops.testbed.pictures ADDRESS --password ...`, from a run of `make demo`."""
