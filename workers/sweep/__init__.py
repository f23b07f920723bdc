"""Gives back the stock of orders whose payment never came."""
