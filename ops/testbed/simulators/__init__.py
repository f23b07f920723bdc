"""Simulated platforms: six shops that sell by themselves and answer in their platforms' own words.

For the demo, the tests and benchmarks: one process, one port, nothing outside loopback, and the same orders for the
same seed.
"""
