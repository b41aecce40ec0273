from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from . import diffs
from .forms import EditForm, NewForm
from .markdown import render as to_html
from .models import Article, EditConflict, Revision


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "").replace("\0", "").strip()  # Postgres refuses NUL, which nobody types
    page = Paginator(Article.objects.about(words), 50).get_page(request.GET.get("page"))
    recent = Revision.objects.select_related("article", "author").order_by("-made_at", "-pk")[:6]
    return render(request, "articles/index.html", {"page": page, "words": words, "recent": recent})


@require_safe
def article(request: HttpRequest, slug: str) -> HttpResponse:
    found = Article.objects.filter(slug=slug).first()
    if found is None:
        title = slug.replace("-", " ").capitalize()
        return render(request, "articles/missing.html", {"title": title}, status=404)
    last = found.revisions.select_related("author").first()
    return render(request, "articles/article.html", {"article": found, "html": to_html(found.text), "last": last})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = NewForm(request.POST or None, request.FILES or None, initial={"title": request.GET.get("title", "")})
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        slug = Article.slug_of(wanted["title"])
        made = Article(title=wanted["title"], slug=slug, text=wanted["text"], picture=wanted["picture"] or "")
        try:
            with transaction.atomic():
                made.save()
                made.revise(wanted["text"], by=request.user, summary="Begun", based_on=0)
            return redirect(made)
        except IntegrityError:  # two people may begin one article at the same moment: the database decides
            made.picture.delete(save=False)
            form.add_error("title", "There is an article of this title already.")
    return render(request, "articles/edit.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Article, slug=slug)
    form = EditForm(
        request.POST or None,
        request.FILES or None,
        has_picture=bool(found.picture),
        initial={"text": found.text, "based_on": found.number},
    )
    conflict = None
    if request.method == "POST" and form.is_valid():
        try:
            save(found, form.cleaned_data, request)
            return redirect(found)
        except EditConflict:
            found.refresh_from_db()
            conflict = diffs.compare(found.text, form.cleaned_data["text"])
            # What was typed stays in the form. Whoever saves again has seen the other edit.
            form.data = form.data.copy()
            form.data["based_on"] = str(found.number)
    return render(request, "articles/edit.html", {"form": form, "article": found, "conflict": conflict})


def save(found: Article, wanted: dict, request: HttpRequest) -> None:
    """Text and picture together or not at all. A picture that is replaced goes when the new one is safe."""
    old = found.picture.name
    with transaction.atomic():
        if wanted["text"] != found.text:
            found.revise(wanted["text"], by=request.user, summary=wanted["summary"], based_on=wanted["based_on"])
        if wanted["picture"] or wanted.get("remove_picture"):
            found.picture = wanted["picture"] or ""
            found.save(update_fields=["picture", "changed_at"])
    if old and old != found.picture.name:
        found.picture.storage.delete(old)


@require_safe
def history(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Article, slug=slug)
    page = Paginator(found.revisions.select_related("author"), 50).get_page(request.GET.get("page"))
    return render(request, "articles/history.html", {"article": found, "page": page})


@require_safe
def revision(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One revision, and what it changed."""
    shown = get_object_or_404(Revision.objects.select_related("article", "author"), article__slug=slug, number=number)
    before = Revision.objects.filter(article=shown.article, number=number - 1).first()
    lines = diffs.compare(before.text if before else "", shown.text)
    return render(
        request,
        "articles/revision.html",
        {"article": shown.article, "revision": shown, "lines": lines, "is_last": shown.number == shown.article.number},
    )


@login_required
@require_POST
def restore(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Make an old text the current one. Nothing is taken out of the history: it gets one more revision."""
    old = get_object_or_404(Revision.objects.select_related("article"), article__slug=slug, number=number)
    found = old.article
    try:
        found.revise(old.text, by=request.user, summary=f"Back to revision {number}", based_on=found.number)
    except EditConflict:
        messages.error(request, "Somebody saved in this very moment. Look at the history, and try again.")
        return redirect("history", slug)
    return redirect(found)


@require_safe
def up(request: HttpRequest) -> HttpResponse:
    """For health checks: does the app answer, and its database?"""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return HttpResponse("ok\n", content_type="text/plain")
