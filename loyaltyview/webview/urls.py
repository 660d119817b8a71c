"""Addresses of the associate's pages (docs/architecture.md 7)."""

from django.urls import path, register_converter

from loyaltyview.webview.views import (
    applied,
    brand_preview,
    consents,
    customer_card,
    enrol,
    find,
    history,
    host,
    launch,
    member,
    preview,
    redeem,
    redeem_many,
    referral,
    reveal,
    shift,
    voucher,
)


class LaunchId:
    """What `models.new_launch_id` makes; anything else is no address. PostgreSQL takes not every text."""

    regex = "[A-Za-z0-9_-]{1,32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(LaunchId, "launch")

urlpatterns = [
    path("admin/programs/program/preview/", brand_preview.brand_preview, name="brand-preview"),
    path("launch/<slug:program>/", launch.launch, name="launch"),
    path("l/<launch:launch_id>/", member.member_page, name="member"),
    path("l/<launch:launch_id>/theme.css", host.host_theme, name="host-theme"),
    path("l/<launch:launch_id>/host/", host.read_host_context, name="host"),
    path("l/<launch:launch_id>/content/", member.content, name="content"),
    path("l/<launch:launch_id>/reveal/", reveal.reveal, name="reveal"),
    path("l/<launch:launch_id>/card/", customer_card.customer_card, name="card"),
    path("l/<launch:launch_id>/history/", history.history, name="history"),
    path("l/<launch:launch_id>/redeem/", redeem.redeem_reward, name="redeem"),
    path("l/<launch:launch_id>/several/", redeem_many.redeem_many, name="redeem_many"),
    path("l/<launch:launch_id>/preview/", preview.preview_choice, name="preview"),
    path("l/<launch:launch_id>/voucher/", voucher.find_voucher, name="voucher"),
    path("l/<launch:launch_id>/applied/", applied.applied_many, name="applied_many"),
    path("l/<launch:launch_id>/applied/<uuid:redemption_id>/", applied.applied_page, name="applied"),
    path("l/<launch:launch_id>/receipt/", applied.receipt, name="receipt"),
    path("l/<launch:launch_id>/watch/", applied.watch, name="watch"),
    path("l/<launch:launch_id>/undo/<uuid:redemption_id>/", applied.undo_redemption, name="undo"),
    path("l/<launch:launch_id>/renew/<uuid:redemption_id>/", applied.renew_code, name="renew"),
    path("l/<launch:launch_id>/shift/", shift.my_shift, name="shift"),
    path("l/<launch:launch_id>/shift/undo/<uuid:redemption_id>/", shift.undo_in_shift, name="undo-in-shift"),
    path("l/<launch:launch_id>/find/", find.find, name="find"),
    path("l/<launch:launch_id>/choose/", find.choose_member, name="choose"),
    path("l/<launch:launch_id>/consents/", consents.consents, name="consents"),
    path("l/<launch:launch_id>/referral/", referral.enter_referral, name="referral"),
    path("l/<launch:launch_id>/enrol/", enrol.enrol, name="enrol"),
]
