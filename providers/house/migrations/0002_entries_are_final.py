from django.db import migrations

from providers.house.triggers import protect_entries, unprotect_entries


class Migration(migrations.Migration):
    dependencies = [("house", "0001_initial")]

    operations = [migrations.RunPython(protect_entries, unprotect_entries)]
