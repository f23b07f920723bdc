"""Orders that are not due yet: kept until they are, then put back for a fresh decision."""
