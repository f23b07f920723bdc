"""People are told of what stands: once, again while it stands, and when it is over."""
