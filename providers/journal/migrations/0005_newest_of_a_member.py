from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the index beside the tills

    dependencies = [
        ('journal', '0004_indexes_of_lists'),
    ]

    operations = [
        AddIndexOnline(
            model_name='write',
            index=models.Index(fields=['vendor', 'program', 'member_ref', 'noted_at', 'id'], name='journal_newest_of_member'),
        ),
        migrations.RemoveIndex(model_name='write', name='journal_of_member'),
    ]
