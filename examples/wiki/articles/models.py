from __future__ import annotations

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.text import slugify


class EditConflict(Exception):
    """Somebody else saved while this edit was being written."""


class ArticleQuerySet(QuerySet["Article"]):
    def about(self, words: str) -> ArticleQuerySet:
        """Articles in which every word occurs, in the title or in the text, in whatever case."""
        found = self
        for word in words.split():
            found = found.filter(Q(title__icontains=word) | Q(text__icontains=word))
        return found


class Article(models.Model):
    """An article as it reads now. How it came to be is in its revisions, of which the last has the same text."""

    title = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=140, unique=True, allow_unicode=True, editable=False)
    text = models.TextField()
    picture = models.ImageField(upload_to="articles/", blank=True)
    changed_at = models.DateTimeField(auto_now=True, db_index=True)

    objects = ArticleQuerySet.as_manager()

    class Meta:
        ordering = ("title",)

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("article", args=[self.slug])

    @staticmethod
    def slug_of(title: str) -> str:
        """Where an article of this title is found; empty if there is no letter and no digit in it."""
        return slugify(title, allow_unicode=True)

    @property
    def number(self) -> int:
        """Of the last revision; 0 before there is one."""
        last = self.revisions.first()
        return last.number if last else 0

    @transaction.atomic
    def revise(self, text: str, *, by: models.Model, summary: str = "", based_on: int) -> Revision:
        """Make `text` the article's text. Raises `EditConflict` if the last revision is not the one it is based on.

        Two people may save at the same moment: the row is locked, so the second one waits, and then sees the first.
        """
        locked = Article.objects.select_for_update().get(pk=self.pk)
        if locked.number != based_on:
            raise EditConflict
        locked.text = self.text = text
        locked.save(update_fields=["text", "changed_at"])
        return Revision.objects.create(article=self, number=based_on + 1, text=text, author=by, summary=summary)


class Revision(models.Model):
    """One state of an article's text. Revisions are never changed."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    summary = models.CharField("what did you change?", max_length=120, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-number",)
        constraints = [models.UniqueConstraint(fields=["article", "number"], name="one_revision_of_a_number")]

    def __str__(self) -> str:
        return f"{self.article}, revision {self.number}"
