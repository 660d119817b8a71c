"""The example vendor of docs/adding-a-vendor.md: a chain of coffee shops that counts stamps.

A real one lies in `providers/stampcard/`, and its server in `loyaltyview/sandbox/vendors/stampcard/`.
Read `provider`, then `spending`, `orders` and `webhooks`, then `members`, then `client`.
"""
