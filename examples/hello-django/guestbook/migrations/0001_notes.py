from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="your name")),
                ("text", models.CharField(max_length=280, verbose_name="your note")),
                ("written_at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={"ordering": ("-written_at", "-id")},
        ),
    ]
