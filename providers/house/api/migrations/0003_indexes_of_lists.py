from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the indexes beside the tills

    dependencies = [
        ('house', '0013_indexes_of_lists'),
        ('house_api', '0002_names_for_admin'),
    ]

    operations = [
        AddIndexOnline(
            model_name='report',
            index=models.Index(fields=['program', 'reported_at', 'id'], name='house_api_report_program'),
        ),
        AddIndexOnline(
            model_name='reservation',
            index=models.Index(fields=['created_at', 'id'], name='house_api_reserved'),
        ),
        AddIndexOnline(
            model_name='reservation',
            index=models.Index(fields=['program', 'created_at', 'id'], name='house_api_reserved_of'),
        ),
    ]
