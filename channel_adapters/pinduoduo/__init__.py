"""Pinduoduo, over its open platform's router."""
