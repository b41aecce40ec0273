from django.contrib import admin
from django.http import HttpRequest

from .models import Article, Revision


class RevisionInline(admin.TabularInline):
    model = Revision
    fields = readonly_fields = ("number", "author", "summary", "made_at")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        return False


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin):
    """For deleting what should not be there. Articles are written in the wiki, where edits leave their trace."""

    list_display = ("title", "changed_at")
    search_fields = ("title", "text")
    readonly_fields = ("title", "text", "picture", "changed_at")
    inlines = (RevisionInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
