"""Yotpo Loyalty in memory: strict about credentials and fields, liberal where its documents are silent.

Written from docs/contracts/yotpo.md 1 to 11, with its assumptions.
"""
