"""The house program: a loyalty program in our own database, and the adapter to read first.

`provider` maps the interface onto `members` (look-up, enrolment), `catalogue` (rewards, vouchers),
`spending` (holds), `earning` (orders, returns), `history` and `expiry`; all of them write points through
`ledger` alone.
"""
