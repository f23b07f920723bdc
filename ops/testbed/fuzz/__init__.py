"""Mutants: payloads of all channels, answers of warehouses and files of counts, changed in every way that hurts.

`python -m ops.testbed.fuzz --help`. The same seed makes the same mutants, so whatever is found can be looked at again.
"""
