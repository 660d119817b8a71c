"""An Antavo workspace in memory: signatures checked, unknown attributes refused, errors by number.

Written from the vendor contract, section 12. Where Antavo documents no effect, ours is marked "assumed".
"""
