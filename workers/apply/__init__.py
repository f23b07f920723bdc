"""Applies what people decide about orders."""
