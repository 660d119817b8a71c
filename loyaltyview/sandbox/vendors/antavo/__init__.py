"""An Antavo workspace in memory: signatures checked, unknown attributes refused, errors by number.

Written from docs/contracts/antavo.md 12. Where Antavo documents no effect, ours is marked "assumed".
"""
