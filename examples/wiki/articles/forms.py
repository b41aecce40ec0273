from django import forms
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile

from . import pictures
from .models import Article


class EditForm(forms.Form):
    """The text and the picture of an article that is there."""

    text = forms.CharField(widget=forms.Textarea(attrs={"rows": 18}), max_length=200_000, strip=False)
    picture = forms.FileField(
        required=False,
        help_text="JPEG, PNG, WebP or GIF, at most 5 MB.",
        widget=forms.FileInput(attrs={"accept": "image/*"}),
    )
    remove_picture = forms.BooleanField(required=False)
    summary = forms.CharField(label="What did you change?", required=False, max_length=120)
    based_on = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: object, has_picture: bool = False, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if not has_picture:
            del self.fields["remove_picture"]

    def clean_text(self) -> str:
        # Browsers send \r\n; kept as it comes, every line would differ from what was there.
        return self.cleaned_data["text"].replace("\r\n", "\n").rstrip() + "\n"

    def clean_picture(self) -> ContentFile | None:
        upload: UploadedFile | None = self.cleaned_data["picture"]
        return pictures.prepare(upload) if upload else None


class NewForm(EditForm):
    """An article that is not there yet."""

    title = forms.CharField(max_length=120)
    field_order = ("title",)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name in ("summary", "based_on"):
            del self.fields[name]

    def clean_title(self) -> str:
        title = " ".join(self.cleaned_data["title"].split())
        slug = Article.slug_of(title)
        if not slug:
            raise forms.ValidationError("A title has a letter or a digit.")
        if len(slug) > 140:  # one sign may become a whole phrase: ﷺ
            raise forms.ValidationError("This title is too long.")
        if Article.objects.filter(slug=slug).exists():
            raise forms.ValidationError("There is an article of this title already.")
        return title
