"""Names that Yotpo's public pages do not give. Everything we had to assume stands here, nowhere else.

Each can be overridden by the program's setting `assumed`, such as `assumed = { delay_field = "..." }`.
A value with commas is a list; what is compared with Yotpo's sentences is in lower case.
"""

from collections.abc import Mapping

ASSUMED: Mapping[str, str] = {
    # POST /redemptions: the reference has this name, a help page "delayed_point_deduction".
    "delay_field": "delay_points_deduction",
    # GET /redemption_codes: the keys of the redemption and of its option (a help page implies the first).
    "redemption_id_key": "point_redemption_id",
    "option_id_key": "redemption_option_id",
    # A refused redemption: the key (from a shop app) or the words that mean "not enough points" ...
    "points_keys": "amount,points",
    "points_words": "not enough,insufficient,greater than the customer's balance",
    # ... the words for "no codes left", and the key of "no such option".
    "stock_words": "no codes,out of codes,codes available",
    "option_keys": "redemption_option,redemption_option_id",
    # A cancellation that was done before is a success.
    "cancelled_words": "already cancelled,already canceled,already been cancelled,already reversed",
    # The callback that cancels a code of delayed deduction: where its secret and the code stand.
    "callback_secret_keys": "secret,shared_secret,api_secret",
    "callback_code_keys": "coupon_code,code,reward_text",
    # The status of an order that carries a code but is not to earn yet (`open_order_status` wins).
    "open_status": "open",
}


def assumed_list(names: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the parts of a value with commas."""
    return tuple(part.strip() for part in names[name].split(",") if part.strip())
