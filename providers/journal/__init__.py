"""Every write to a vendor, as one row that is committed before anything is sent.

Read `models` first (what a row is), then `states` (how it may change), `spending` (a spend is sent once and
found again), `delivery` (other writes are sent exactly once), `booking` (never more than is left),
`history`, `retention`. A vendor's package says three things only: how to send a write, how to recognise it at
the vendor, and when it can no longer arrive. docs/decisions/0036 says why.
"""
