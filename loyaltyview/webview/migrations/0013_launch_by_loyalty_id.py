from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the index beside the tills

    dependencies = [
        ('webview', '0012_member_assumed'),
    ]

    operations = [
        AddIndexOnline(
            model_name='launch',
            index=models.Index(condition=models.Q(('loyalty_id', ''), _negated=True), fields=['program', 'loyalty_id', '-created_at'], name='launch_loyalty_id'),
        ),
    ]
