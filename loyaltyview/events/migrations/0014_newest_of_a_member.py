from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the index beside the tills

    dependencies = [
        ('events', '0013_indexes_of_lists'),
    ]

    operations = [
        AddIndexOnline(
            model_name='order',
            index=models.Index(fields=['program', 'member_ref', 'placed_at'], name='order_of_member'),
        ),
        migrations.RemoveIndex(model_name='order', name='order_member'),
    ]
