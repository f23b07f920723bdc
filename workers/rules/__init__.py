"""What the seller decides: the SKU catalogue, keyword rules and routing rules. Pure; shared by tag and route."""
