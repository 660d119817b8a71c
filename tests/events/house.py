"""The embedded program with one member, Mia, and a reward for which points are really spent."""

from decimal import Decimal

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.serialization import discount_to_json, intent_of
from loyaltyview.redemptions.transitions import spent_fields
from providers.house.ledger import adjust
from providers.house.models import EarnRule, Entry, Member, Reward
from providers.types import Consents, Discount, DiscountKind, MemberProfile, Money

EMAIL = "mia@example.test"
OPENING, COST = 500, 200


def build_house(program: Program) -> str:
    """Two points a dollar, a reward of $10 for 200 points; Mia has 500 points. Returns Mia's ref."""
    EarnRule.objects.create(program=program.slug, points_per_unit=2)
    Reward.objects.create(
        program=program.slug, reward_id="ten-off", title="$10 off", kind="fixed", amount=10, cost=COST
    )
    ref = program.provider().enrol(MemberProfile(email=EMAIL), Consents()).ref
    adjust(program.slug, ref, OPENING, reference="opening", note="Welcome")
    return ref


def spend(redemption: Redemption, ref: str) -> None:
    """Let the redemption of the test be a real spend of the house."""
    discount = Discount(kind=DiscountKind.FIXED, amount=Money(amount=Decimal(10), currency="USD"))
    redemption.discount = discount_to_json(discount)
    redemption.member_ref = ref
    redemption.save()
    made = redemption.program.provider().spend(intent_of(redemption))
    Redemption.objects.filter(pk=redemption.pk).update(**spent_fields(made))


def balance() -> int:
    member = Member.objects.get(email=EMAIL)
    assert member.spendable + member.reserved == sum(Entry.objects.values_list("points", flat=True))
    return member.spendable
