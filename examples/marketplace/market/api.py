"""The REST API: /api/v1/items, /api/v1/items/1, /api/v1/categories; and /api, the page that explains it.

Everybody may ask, so everybody is counted: by address, in Redis, which all dynos share. Who asks too often gets 429 and
is told by Retry-After when to come back.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from . import gazetteer, items, search, storage
from .extensions import limiter
from .models import Item

blueprint = Blueprint("api", __name__, url_prefix="/api")
limiter.limit(lambda: current_app.config["API_RATE_LIMIT"])(blueprint)


@blueprint.get("")
@limiter.exempt
def page() -> ResponseReturnValue:
    return render_template("api.html", limit=current_app.config["API_RATE_LIMIT"], categories=items.categories())


@blueprint.get("/v1/categories")
def categories() -> ResponseReturnValue:
    return {"categories": [{"slug": category.slug, "name": category.name} for category in items.categories()]}


@blueprint.get("/v1/items")
def index() -> ResponseReturnValue:
    try:
        wanted = search.read(request.args)
    except (ValueError, gazetteer.Unknown) as problem:
        return {"id": "invalid", "message": str(problem)}, 422
    page = items.page_of(wanted, request.args.get("page", 1, int))
    following = {**request.args, "page": page.number + 1}
    return {
        "items": [shown(item, distance) for item, distance in page.rows],
        "next": url_for("api.index", **following) if page.more else None,
    }


@blueprint.get("/v1/items/<int:number>")
def show(number: int) -> ResponseReturnValue:
    return shown(items.find(number))


@blueprint.after_request
def open_to_all(response: Response) -> Response:
    """Pages of other sites may read the API: it has nothing that is not public."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def shown(item: Item, distance: float | None = None) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "description": item.description,
        "price_cents": item.price_cents,
        "category": item.category.slug,
        "place": item.place_name,
        "latitude": round(item.latitude, 3),  # to about 100 m
        "longitude": round(item.longitude, 3),
        "distance_km": None if distance is None else round(distance, 1),
        "picture": storage.url(item.picture) if item.picture else None,
        "page": url_for("items.show", number=item.id),
        "posted_at": item.posted_at.isoformat(),
    }
