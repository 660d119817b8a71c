"""Hey Pongo's partner API in memory, written from docs/contracts/pongo.md: strict about requests.

`server` routes; `customers`, `rewards`, `orders`, `oauth` and `webhooks` answer. `state` holds the data that
they share, `sample` its first content, and `validation` checks requests and refuses.
"""
