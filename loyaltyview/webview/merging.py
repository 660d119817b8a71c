"""Two cards of one member were merged (`providers.merged`): open pages and the trail follow the new ref. What
was kept of either is deleted."""

from loyaltyview.webview.models import ConsentChange, Launch, MemberSnapshot


def follow(program: str, old_ref: str, new_ref: str) -> None:
    """Let the rows of `old_ref` name `new_ref`. A page that is open asks for the member again."""
    for model in (Launch, ConsentChange):
        model.objects.filter(program__slug=program, member_ref=old_ref).update(member_ref=new_ref)
    MemberSnapshot.objects.filter(program__slug=program, member_ref__in=(old_ref, new_ref)).delete()
