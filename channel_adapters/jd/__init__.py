"""JD (京东): orders of POP sellers, through the routerjson gateway."""
