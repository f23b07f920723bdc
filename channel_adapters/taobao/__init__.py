"""Taobao and Tmall, over the TOP gateway."""
