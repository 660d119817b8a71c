"""Erasing a member who asks for it. The ledger is their money and stays unchanged, entry by entry: only the
identity is deleted.
"""

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from providers.errors import Rejected, RejectReason
from providers.house.ledger import cards_of, lock
from providers.house.models import BirthdayGift, Hold, HoldState, Member, Merge
from providers.house.models.members import EMPTY_PROFILE


def erase_member(program: str, ref: str, pseudonym: str) -> int:
    """Make the member a number without a name, an address or a card. Their entries, holds and vouchers
    stay, so that balances add up and goods that come back late find their order. Raises
    Rejected(NOT_ALLOWED) while points or a voucher are held. Returns how many rows changed."""
    with transaction.atomic():
        try:
            member = lock(program, ref)
        except Rejected:
            return 0
        if Hold.objects.filter(member=member, state=HoldState.HELD).exists():
            raise Rejected(RejectReason.NOT_ALLOWED, "points or a voucher of the member are held")
        Member.objects.filter(pk=member.pk).update(
            member_id=pseudonym,
            referral_code="",
            **EMPTY_PROFILE,
        )
        # Admin's log of changes to the account names the member's card.
        rows = list(cards_of(member).values_list("pk", flat=True))
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(Member), object_id__in=map(str, rows)
        ).update(object_repr=pseudonym)
        cards = list(member.merged.order_by("pk"))
        for number, card in enumerate(cards, start=1):
            # Its name and contact went to the survivor with the merge.
            Member.objects.filter(pk=card.pk).update(member_id=f"{pseudonym}-{number}", referral_code="")
        # A card that was merged twice was a survivor before.
        Merge.objects.filter(survivor__in=rows).update(reason="-")
        # Without a birthday there is no other gift, so these rows are needed no more.
        BirthdayGift.objects.filter(member__in=rows).delete()
        return 1 + len(cards) + member.vouchers.exclude(code="").update(code="")
