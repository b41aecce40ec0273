from django.db import models


class Note(models.Model):
    """What a guest wrote."""

    name = models.CharField("your name", max_length=60)
    text = models.CharField("your note", max_length=280)
    written_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ("-written_at", "-id")

    def __str__(self):
        return f"{self.name}: {self.text}"
