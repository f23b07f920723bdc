"""What the seller decides: the SKU catalogue, keyword rules and routing rules; shared by tag and route.

Pure, but for `provider`, which reads them from files.
"""
