"""Hey Pongo's partner API, played from docs/contracts/pongo.md: strict about what it is sent, in memory.

`server` routes; `customers`, `rewards`, `orders`, `oauth` and `webhooks` answer; `state` holds the data that
they share, `sample` what is in it at first, `validation` how it checks and refuses.
"""
