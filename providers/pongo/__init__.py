"""Hey Pongo's partner API, and its adapter.

`provider` maps the interface onto `customers`, `catalogue`, `spending`, `orders`, `stores` and `webhooks`;
all of them call through `client`, and whatever name or value Pongo's reference does not show stands in
`settings`. Our own rows are in `models`; `oauth`, `views` and `admin` are for administrators.
"""
