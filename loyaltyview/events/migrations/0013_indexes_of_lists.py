from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the indexes beside the tills

    dependencies = [
        ('events', '0012_provider_alarm'),
        ('programs', '0012_indexes_of_lists'),
    ]

    operations = [
        AddIndexOnline(
            model_name='alarm',
            index=models.Index(fields=['last_at', 'id'], name='alarm_last'),
        ),
        AddIndexOnline(
            model_name='alarm',
            index=models.Index(condition=models.Q(('closed_at', None)), fields=['last_at', 'id'], name='alarm_open'),
        ),
        AddIndexOnline(
            model_name='alarm',
            index=models.Index(fields=['subject'], name='alarm_subject'),
        ),
        AddIndexOnline(
            model_name='event',
            index=models.Index(fields=['received_at', 'id'], name='event_received'),
        ),
        AddIndexOnline(
            model_name='event',
            index=models.Index(fields=['program', 'received_at', 'id'], name='event_program'),
        ),
        AddIndexOnline(
            model_name='order',
            index=models.Index(fields=['program', 'external_id'], name='order_receipt'),
        ),
        AddIndexOnline(
            model_name='order',
            index=models.Index(fields=['program', 'member_ref'], name='order_member'),
        ),
    ]
