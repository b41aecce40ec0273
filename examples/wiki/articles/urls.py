from django.urls import path, register_converter

from . import views


class Slug:
    """Letters of any script, digits and hyphens: what `Article.slug_of` makes."""

    regex = r"[-\w]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Slug, "title")

urlpatterns = [
    path("", views.index, name="index"),
    path("up", views.up, name="up"),
    path("new", views.new, name="new"),
    path("wiki/<title:slug>", views.article, name="article"),
    path("wiki/<title:slug>/edit", views.edit, name="edit"),
    path("wiki/<title:slug>/history", views.history, name="history"),
    path("wiki/<title:slug>/history/<int:number>", views.revision, name="revision"),
    path("wiki/<title:slug>/history/<int:number>/restore", views.restore, name="restore"),
]
