"""Shards in the formats of other trainers, where a kept library writes them."""

__all__ = ["megatron"]
