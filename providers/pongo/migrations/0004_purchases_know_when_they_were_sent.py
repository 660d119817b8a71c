import django.utils.timezone
from django.db import migrations, models
from django.db.models import F


def open_purchases_were_sent_when_begun(apps, schema_editor):
    spendings = apps.get_model("pongo", "Spending").objects.using(schema_editor.connection.alias)
    spendings.filter(state="started", hashes_before__isnull=False).update(sent_at=F("changed_at"))


class Migration(migrations.Migration):
    dependencies = [("pongo", "0003_address_of_the_token")]

    operations = [
        migrations.AddField(
            model_name="spending",
            name="sent_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="sentorder",
            name="sent_at",
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name="last sent at"),
        ),
        migrations.RunPython(open_purchases_were_sent_when_begun, migrations.RunPython.noop),
    ]
