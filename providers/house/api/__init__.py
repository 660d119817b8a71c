"""The REST API of the house program, for a web shop of the retailer.

`urls` and `entry` are imported with the pages; everything that needs pydantic is imported by the first call.
"""
