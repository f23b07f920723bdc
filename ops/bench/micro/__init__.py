"""The pure functions one by one: `pytest ops/bench/micro`. Not part of `make test`; nothing fails for being slow.

Keep figures with `--benchmark-autosave` and compare with `--benchmark-compare` to see where a slow-down arises.
"""
