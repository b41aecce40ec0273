from django.contrib import admin

from .models import Note


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    list_display = ("name", "text", "written_at")
    search_fields = ("name", "text")
