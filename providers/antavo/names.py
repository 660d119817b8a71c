"""Every word sent to or read from Antavo that no document we could read confirms; one place, overridable.

A program replaces them in its setting `names`. Source: docs/contracts/antavo.md 3.4 to 3.6, 2.3, 8, 13.
"""

NAMES = {
    # Attributes of events that we send.
    "coupon_code": "code",
    "coupon_transaction": "transaction_id",
    "coupon_amount": "amount",
    "refund_amount": "amount",
    "update_total": "total",
    "unspend_points": "points",
    "unspend_transaction": "transaction_id",
    "store": "store",
    "consent_email": "email_consent",
    "consent_sms": "sms_consent",
    # Properties of events that we read.
    "event_reward": "reward",
    "event_coupon": "coupon",
    "event_code": "code",
    "event_transaction": "transaction_id",
    # Attributes of answers.
    "expiring_points": "points",
    "expiring_at": "date",
    "discount_type": "discount_type",
    "discount_value": "discount_value",
    "discount_minimum": "discount_minimum",
    "discount_skus": "discount_skus",
    # Event names that are documented, and whose use by an integration is not.
    "point_unspend": "point_unspend",
}
