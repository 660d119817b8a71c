"""Hey Pongo's partner API, and its adapter.

`provider` maps the interface onto `members`, `rewards`, `spending`, `release`, `orders`, `merchant` and
`webhooks`; all of them call through `client`. Names and values that Pongo's reference does not show are in
`settings`. Our own rows are in `models`; `connecting`, `views` and `admin` are for administrators.
"""
