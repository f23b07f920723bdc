"""Douyin shop (抖店): orders of the doudian open platform."""
