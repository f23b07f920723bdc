"""The pages: one class each, and their table in `table.py`. To add one: ops/docs/console.md."""
