from typing import Any

from django.db import migrations
from django.db.models import Min, OuterRef, Subquery


def note_next_expiry(apps: Any, schema_editor: Any) -> None:
    """Let each member who has points that expire know when the first of them do. Points that are spent or
    expired already count, too: the first look at the member finds that, and moves the time."""
    alias = schema_editor.connection.alias
    lots = apps.get_model("house", "Entry").objects.using(alias).filter(expires_at__isnull=False, points__gt=0)
    first = lots.filter(member=OuterRef("pk")).order_by().values("member").annotate(first=Min("expires_at"))
    members = apps.get_model("house", "Member").objects.using(alias)
    members.filter(pk__in=lots.values("member")).update(next_expiry_at=Subquery(first.values("first")))


class Migration(migrations.Migration):
    dependencies = [("house", "0008_multipliers_pictures_and_expiry_rules")]

    operations = [migrations.RunPython(note_next_expiry, migrations.RunPython.noop)]
