"""Brings an order that its platform described anew under what people decided about it."""
