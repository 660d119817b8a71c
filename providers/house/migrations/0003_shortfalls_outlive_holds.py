from typing import Any

from django.db import migrations, models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from providers.house.triggers import protect_entries, unprotect_entries


def note_newest_entries(apps: Any, schema_editor: Any) -> None:
    """Let each hold that stands know what its member's ledger held when it was made, as far as times tell."""
    alias = schema_editor.connection.alias
    entries = apps.get_model("house", "Entry").objects.using(alias).filter(
        member=OuterRef("member"), at__lte=OuterRef("created_at")
    )
    newest = Subquery(entries.order_by("-at", "-pk").values("pk")[:1])
    holds = apps.get_model("house", "Hold").objects.using(alias).filter(state__in=["held", "captured"])
    holds.update(newest_entry=Coalesce(newest, 0))


class Migration(migrations.Migration):
    dependencies = [("house", "0002_entries_are_final")]

    operations = [
        migrations.RunPython(unprotect_entries, protect_entries),
        migrations.AlterField(
            model_name="entry",
            name="shortfall",
            field=models.IntegerField(
                default=0,
                help_text=(
                    "Points that should have been taken back, but were on hold or spent. "
                    "Negative: taken when those points came back."
                ),
                verbose_name="shortfall",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("shortfall", 0),
                    models.Q(("kind__in", ["return", "cancel"]), ("shortfall__gt", 0)),
                    models.Q(
                        ("kind__in", ["return", "cancel"]),
                        ("shortfall", models.F("points")),
                        ("shortfall__lt", 0),
                    ),
                    _connector="OR",
                ),
                name="house_shortfall_is_owed_or_paid",
            ),
        ),
        migrations.RunPython(protect_entries, unprotect_entries),
        migrations.AddField(
            model_name="hold",
            name="newest_entry",
            field=models.BigIntegerField(default=0, editable=False),
        ),
        migrations.RunPython(note_newest_entries, migrations.RunPython.noop),
    ]
