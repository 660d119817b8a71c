"""The tables of the house program. Each row names its program by slug: providers import no other app."""

from providers.house.models.catalogue import EarnRule, Reward, Voucher, VoucherState
from providers.house.models.ledger import Entry, EntryKind, Hold, HoldState, LedgerIsFinal
from providers.house.models.members import Member, Tier

__all__ = [
    "EarnRule",
    "Entry",
    "EntryKind",
    "Hold",
    "HoldState",
    "LedgerIsFinal",
    "Member",
    "Reward",
    "Tier",
    "Voucher",
    "VoucherState",
]
