import os

from django.db import connection
from django.forms import ModelForm
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from .models import Note


class NoteForm(ModelForm):
    class Meta:
        model = Note
        fields = ("name", "text")


@require_http_methods(["GET", "HEAD", "POST"])
def book(request):
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("book")
    return render(
        request,
        "guestbook/book.html",
        {
            "form": form,
            "notes": Note.objects.all()[:50],
            "dyno": os.environ.get("DYNO"),
            "forgetful": "DYNO" in os.environ and connection.vendor == "sqlite",
        },
    )


@require_safe
def up(request):
    """For health checks: does the app answer, and its database?"""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return HttpResponse("ok\n", content_type="text/plain")
