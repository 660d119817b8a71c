"""Two cards of one member were merged (`providers.merged`): orders follow the new ref."""

from loyaltyview.events.models import Order


def follow(program: str, old_ref: str, new_ref: str) -> None:
    """Let the orders of `old_ref` name `new_ref`. An order that is being recorded keeps the old one in this
    call; the provider knows both."""
    Order.objects.filter(program__slug=program, member_ref=old_ref).update(member_ref=new_ref)
