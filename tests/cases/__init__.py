"""Orders that public bug reports of the trade describe, each with what must become of it."""
