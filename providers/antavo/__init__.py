"""Antavo Enterprise Loyalty Cloud: signed calls, points in accounts, claims, coupons, checkouts.

`provider` maps the interface onto `members`, `rewards`, `coupons`, `spending` and `reservations`, `orders`
(checkouts), `returns` (refunds), `history` and `webhooks`. All calls go through `client`, signed by `escher`;
`settings` has every word that Antavo does not document.
"""
