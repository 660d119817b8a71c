"""The tables of the house program. Each row names its program by slug: providers import no other app."""

from providers.house.models.campaigns import (
    BatchState,
    Campaign,
    CampaignCode,
    CodeBatch,
    MailOut,
    MailOutState,
)
from providers.house.models.catalogue import Reward, Voucher, VoucherState
from providers.house.models.earning import Category, EarnRule, Multiplier
from providers.house.models.ledger import Entry, EntryKind, Hold, HoldState, LedgerIsFinal
from providers.house.models.members import Member, Merge, Tier
from providers.house.models.occasions import (
    BirthdayGift,
    BirthdayRule,
    Referral,
    ReferralRule,
    ReferralState,
)
from providers.house.models.pictures import Picture

__all__ = [
    "BatchState",
    "BirthdayGift",
    "BirthdayRule",
    "Campaign",
    "CampaignCode",
    "Category",
    "CodeBatch",
    "EarnRule",
    "Entry",
    "EntryKind",
    "Hold",
    "HoldState",
    "LedgerIsFinal",
    "MailOut",
    "MailOutState",
    "Member",
    "Merge",
    "Multiplier",
    "Picture",
    "Referral",
    "ReferralRule",
    "ReferralState",
    "Reward",
    "Tier",
    "Voucher",
    "VoucherState",
]
