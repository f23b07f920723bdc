"""Lets waiting orders through when stock for them has come."""
