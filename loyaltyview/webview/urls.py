"""Addresses of the associate's pages (design section 7)."""

from django.urls import path

from loyaltyview.webview.views import (
    applied,
    consents,
    enrol,
    find,
    launch,
    member,
    redeem,
    several,
    shift,
    theme,
    voucher,
)

urlpatterns = [
    path("launch/<slug:program>/", launch.launch, name="launch"),
    path("brand/<slug:program>.css", theme.brand, name="brand"),
    path("l/<str:launch_id>/", member.member_page, name="member"),
    path("l/<str:launch_id>/theme.css", theme.host_theme, name="host-theme"),
    path("l/<str:launch_id>/content/", member.content, name="content"),
    path("l/<str:launch_id>/history/", member.history, name="history"),
    path("l/<str:launch_id>/redeem/", redeem.redeem_reward, name="redeem"),
    path("l/<str:launch_id>/several/", several.redeem_several, name="several"),
    path("l/<str:launch_id>/voucher/", voucher.find_voucher, name="voucher"),
    path("l/<str:launch_id>/applied/", applied.together, name="together"),
    path("l/<str:launch_id>/applied/<uuid:redemption_id>/", applied.applied_page, name="applied"),
    path("l/<str:launch_id>/undo/<uuid:redemption_id>/", applied.undo_redemption, name="undo"),
    path("l/<str:launch_id>/renew/<uuid:redemption_id>/", applied.renew_code, name="renew"),
    path("l/<str:launch_id>/shift/", shift.my_shift, name="shift"),
    path("l/<str:launch_id>/shift/undo/<uuid:redemption_id>/", shift.undo_in_shift, name="undo-in-shift"),
    path("l/<str:launch_id>/find/", find.find, name="find"),
    path("l/<str:launch_id>/choose/", find.choose_member, name="choose"),
    path("l/<str:launch_id>/consents/", consents.consents, name="consents"),
    path("l/<str:launch_id>/enrol/", enrol.enrol, name="enrol"),
]
