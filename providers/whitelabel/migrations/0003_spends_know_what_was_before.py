from django.db import migrations, models


def open_spends_know_nothing(apps, schema_editor):
    """Rows under way may have been sent: without a list of what was before, only a person can decide."""
    reports = apps.get_model("whitelabel", "Report").objects.using(schema_editor.connection.alias)
    reports.filter(kind="spend", state="sending").update(shown_before={})


class Migration(migrations.Migration):
    dependencies = [("whitelabel", "0002_owed_points")]

    operations = [
        migrations.AddField(
            model_name="report",
            name="shown_before",
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(open_spends_know_nothing, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "spend"), ("state__in", ["sending", "done"]))
                & ~models.Q(("vendor_ref", "")),
                fields=("program", "vendor_ref"),
                name="whitelabel_one_spend_per_benefit",
            ),
        ),
    ]
