from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.static import serve

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("django.contrib.auth.urls")),
    path("", include("articles.urls")),
]

if settings.PICTURES_ARE_LOCAL:
    # Good enough for your machine, and for a dyno until it has a bucket.
    files = {"document_root": settings.MEDIA_ROOT}
    urlpatterns.insert(0, re_path(r"^media/(?P<path>.*)$", serve, files))
