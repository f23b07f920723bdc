"""Shopify: a self-built mall in the cloud. Admin REST API, plain receivers, money in the shop's currency."""
