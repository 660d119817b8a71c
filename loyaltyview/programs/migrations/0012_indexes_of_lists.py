from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the indexes beside the tills

    dependencies = [
        ('programs', '0011_find_missed_events'),
    ]

    operations = [
        AddIndexOnline(
            model_name='erasure',
            index=models.Index(fields=['at'], name='erasure_at'),
        ),
        AddIndexOnline(
            model_name='trouble',
            index=models.Index(fields=['program', 'slot'], name='trouble_program'),
        ),
    ]
