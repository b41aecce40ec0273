from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/home.html", {"visitor": request.GET.get("name", "world")})


def up(_request: HttpRequest) -> JsonResponse:
    """Whether the app takes requests: `heroku config:set HOMEPORT_HEALTH_PATH=/up` has it asked before every release."""
    return JsonResponse({"status": "ok"})
