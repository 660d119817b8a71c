"""The rows as Yotpo's JSON. Source: docs/contracts/yotpo.md 2, 3, 4, 5 and 11.3."""

from datetime import datetime

from loyaltyview.sandbox.answers import Json, timestamp
from loyaltyview.sandbox.vendors.yotpo.state import Books, Customer, Option, Redemption


def customer_json(books: Books, customer: Customer, *, with_history: bool = False) -> Json:
    tier, above = books.tier_of(customer), books.tier_above(customer)
    body: Json = {
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone_number": customer.phone_number,
        "points_balance": customer.points_balance,
        "points_earned": customer.points_earned,
        "credit_balance": "$0",
        "credit_balance_in_customer_currency": "$0",
        "total_spend_cents": customer.total_spend_cents,
        "total_purchases": customer.total_purchases,
        "perks_redeemed": sum(item.points < 0 for item in customer.history),
        "points_expire_at": None,
        "third_party_id": customer.third_party_id,
        "thirty_party_id": customer.third_party_id,
        "pos_account_id": customer.pos_account_id,
        "has_store_account": customer.third_party_id is not None,
        "opt_in": customer.opt_in,
        "opted_in_at": _time(customer.opted_in_at),
        "vip_tier_name": tier.name if tier else None,
        "vip_tier_entry_date": None,
        "vip_tier_expiration": None,
        "vip_tier_actions_completed": _stats("completed", points_earned=customer.points_earned),
        "vip_tier_upgrade_requirements": _stats("needed", points_needed=above.points - customer.points_earned)
        if above
        else None,
        "vip_tier_maintenance_requirements": _stats("needed", points_needed=0),
    }
    if customer.expires_on:
        body |= {
            "next_points_expire_on": customer.expires_on,
            "next_points_expire_amount": min(120, customer.points_balance),
        }
    if with_history:
        body["history_items"] = [
            {
                "created_at": timestamp(item.at),
                "date": item.at.date().isoformat(),
                "action": item.action,
                "action_name": None,
                "completed_at": timestamp(item.at),
                "points": item.points,
                "status": item.status,
            }
            for item in reversed(customer.history)
        ]
    return body


def option_json(option: Option) -> Json:
    return {
        "id": option.id,
        "name": option.name,
        "unrendered_name": option.name,
        "description": option.description,
        "unrendered_description": option.description,
        "icon": "fa-dollar",
        "cost_text": f"{option.amount} Points",
        "amount": option.amount,
        "type": "Coupon",
        "applies_to_product_type": "ALL",
        "duration": "single_use",
        "discount_type": option.discount_type,
        "discount_amount_cents": option.discount_amount_cents,
        "discount_percentage": option.discount_percentage,
        "discount_rate_cents": option.discount_rate_cents,
        "discount_value_cents": option.discount_value_cents,
        "cart_greater_than_cents": option.cart_greater_than_cents,
        **({"variant_id": option.variant_id} if option.variant_id else {}),
    }


def redemption_json(redemption: Redemption) -> Json:
    is_approved = redemption.state != "cancelled"
    return {
        "id": redemption.id,
        "reward_text": redemption.code,
        "approved": is_approved,
        "approved_at": timestamp(redemption.at) if is_approved else None,
        "created_at": timestamp(redemption.at),
        "updated_at": timestamp(redemption.at),
    }


def code_json(redemption: Redemption) -> Json:
    return {
        "id": redemption.code_id,
        "code": redemption.code,
        "third_party_id": None,
        "email": redemption.customer.email,
        "point_redemption_id": redemption.id,
        "redemption_option_id": redemption.option.id,
    }


def tiers_json(books: Books) -> list[Json]:
    return [
        {
            "id": tier.id,
            "name": tier.name,
            "description": f"Earn {tier.points} points",
            "points_multiplier": str(tier.multiplier),
            "rank": rank,
            **{
                f"{what}_threshold": {
                    "points_earned": tier.points,
                    "amount_spent_cents": 0,
                    "purchases_made": 0,
                    "referrals_completed": 0,
                }
                for what in ("entry", "retain", "regain")
            },
        }
        for rank, tier in enumerate(books.tiers)
    ]


def _stats(what: str, **given: int) -> Json:
    if what == "completed":
        names = ("points_earned", "amount_spent_cents", "purchases_made", "referrals_completed")
    else:
        names = ("points_needed", "amount_cents_needed", "purchases_needed", "referrals_needed")
    return {name: given.get(name, 0) for name in names} | {f"campaigns_{what}": None}


def _time(at: datetime | None) -> str | None:
    return timestamp(at) if at else None
