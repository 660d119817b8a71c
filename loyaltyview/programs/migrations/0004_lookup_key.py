import secrets

from django.db import migrations

import loyaltyview.ops.encrypted
import loyaltyview.programs.models


def give_keys(apps, schema_editor):
    """Give each program a key of its own: the default of a new column is the same for all rows."""
    programs = apps.get_model("programs", "Program").objects.using(schema_editor.connection.alias)
    for pk in list(programs.values_list("pk", flat=True)):
        programs.filter(pk=pk).update(lookup_key=secrets.token_urlsafe(32))


class Migration(migrations.Migration):

    dependencies = [
        ("programs", "0003_erasure"),
    ]

    operations = [
        migrations.AddField(
            model_name="program",
            name="lookup_key",
            field=loyaltyview.ops.encrypted.EncryptedTextField(
                default=loyaltyview.programs.models.new_lookup_key, editable=False
            ),
        ),
        migrations.RunPython(give_keys, migrations.RunPython.noop),
    ]
