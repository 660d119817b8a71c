from django.db import migrations, models


def note_addresses(apps, schema_editor):
    """A token that is stored now belongs to the address that its program has now."""
    alias = schema_editor.connection.alias
    accounts = apps.get_model("pongo", "Account").objects.using(alias)
    programs = apps.get_model("programs", "Program").objects.using(alias)
    for slug in list(accounts.exclude(sealed_token="").values_list("program", flat=True)):
        program = programs.filter(slug=slug, provider_kind="pongo").first()
        if program:
            address = str(program.provider_settings.get("base_url") or "https://api.heypongo.com")
            accounts.filter(program=slug).update(base_url=address.rstrip("/")[:200])


class Migration(migrations.Migration):

    dependencies = [
        ("pongo", "0002_sealed_columns"),
        ("programs", "0004_lookup_key"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="base_url",
            field=models.CharField(blank=True, editable=False, max_length=200),
        ),
        migrations.RunPython(note_addresses, migrations.RunPython.noop),
    ]
