"""Hash the customers of stored launches with the program's own key instead of SECRET_KEY."""

from django.db import migrations, transaction
from django.utils.crypto import salted_hmac

from loyaltyview.ops.encrypted import CredentialsUnreadable

BATCH = 500


def hash_anew(apps, schema_editor):
    alias = schema_editor.connection.alias
    launches = apps.get_model("webview", "Launch").objects.using(alias)
    programs = apps.get_model("programs", "Program").objects.using(alias)
    keys = dict(programs.values_list("pk", "lookup_key"))
    last = ""
    while pks := list(
        launches.filter(pk__gt=last).exclude(customer_key="").order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        with transaction.atomic(using=alias):
            for pk in pks:
                launches.filter(pk=pk).update(customer_key=_key_of(launches.filter(pk=pk), keys))
        last = pks[-1]


def _key_of(launch, keys):
    try:
        program, email = launch.values_list("program_id", "customer_email").get()
    except CredentialsUnreadable:  # nothing could be compared with it any more
        return ""
    salt = "loyaltyview.customer"
    return salted_hmac(salt, email.casefold(), secret=keys[program], algorithm="sha256").hexdigest() if email else ""


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("programs", "0004_lookup_key"),
        ("webview", "0005_replaced_launch"),
    ]

    operations = [
        migrations.RunPython(hash_anew, migrations.RunPython.noop),
    ]
