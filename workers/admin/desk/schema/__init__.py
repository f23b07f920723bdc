"""The tables of the desk, as numbered files."""
