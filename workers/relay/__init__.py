"""Publishes the inventory events that the scripts left in the outboxes."""
