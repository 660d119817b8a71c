"""Two cards of one member were merged (`providers.merged`): redemptions follow the new ref."""

from contextlib import suppress

from django.db import IntegrityError, transaction

from loyaltyview.redemptions.models import Redemption


def follow(program: str, old_ref: str, new_ref: str) -> None:
    """Let the redemptions of `old_ref` name `new_ref`. One that a constraint keeps apart, because both cards
    spend at this moment, keeps the old ref: the provider knows it, and an erasure asks again."""
    rows = Redemption.objects.filter(program__slug=program, member_ref=old_ref)
    try:
        with transaction.atomic():
            rows.update(member_ref=new_ref)
    except IntegrityError:
        for pk in list(rows.values_list("pk", flat=True)):
            with suppress(IntegrityError), transaction.atomic():
                Redemption.objects.filter(pk=pk, member_ref=old_ref).update(member_ref=new_ref)
