from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the indexes beside the tills

    dependencies = [
        ('programs', '0012_indexes_of_lists'),
        ('webview', '0009_customers_who_wait_for_their_order'),
    ]

    operations = [
        AddIndexOnline(
            model_name='consentchange',
            index=models.Index(fields=['at', 'id'], name='consent_change_at'),
        ),
        AddIndexOnline(
            model_name='consentchange',
            index=models.Index(fields=['program', 'at', 'id'], name='consent_change_program'),
        ),
        AddIndexOnline(
            model_name='consentchange',
            index=models.Index(fields=['actor'], name='consent_change_actor'),
        ),
        AddIndexOnline(
            model_name='launch',
            index=models.Index(fields=['created_at'], name='launch_created'),
        ),
    ]
