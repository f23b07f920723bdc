"""Pictures of the console: `python -m ops.testbed.pictures --url ... --password ...`, from a run of `make demo`."""
