from django.db import migrations, models


def open_spends_know_nothing(apps, schema_editor):
    """Rows under way may have been sent, and what the history showed then is not known: a person decides."""
    spends = apps.get_model("yotpo", "Spend").objects.using(schema_editor.connection.alias)
    spends.filter(state="asked", is_delayed=False).update(codes_before=False)


class Migration(migrations.Migration):
    dependencies = [("yotpo", "0004_order_sending")]

    operations = [
        migrations.AddField(
            model_name="spend",
            name="codes_before",
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="spend",
            name="returning_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="partrelease",
            name="returning_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(open_spends_know_nothing, migrations.RunPython.noop),
    ]
