"""Run by `python manage.py test`."""

from django.test import TestCase, override_settings
from django.urls import reverse

from .models import Note

# The manifest of hashed names is made by `collectstatic`; tests do without.
PLAIN_FILES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


@override_settings(STORAGES=PLAIN_FILES)
class BookTests(TestCase):
    def test_an_empty_book_says_so(self):
        self.assertContains(self.client.get(reverse("book")), "Nobody yet")

    def test_a_note_is_kept_and_shown_newest_first(self):
        for text in ("first", "second <b>"):
            self.assertRedirects(self.client.post(reverse("book"), {"name": "Ada", "text": text}), reverse("book"))
        page = self.client.get(reverse("book")).content.decode()
        self.assertLess(page.index("second &lt;b&gt;"), page.index("first"))

    def test_an_unfinished_note_is_given_back_with_what_is_missing(self):
        page = self.client.post(reverse("book"), {"name": "Ada", "text": ""})
        self.assertContains(page, "This field is required")
        self.assertContains(page, 'value="Ada"')
        self.assertEqual(Note.objects.count(), 0)

    def test_up_answers(self):
        self.assertEqual(self.client.get(reverse("up")).content, b"ok\n")
