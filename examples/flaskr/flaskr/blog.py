"""The posts: read, search, write, change, delete."""

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from . import forms
from .accounts import for_members
from .extensions import db
from .models import Post

blueprint = Blueprint("blog", __name__)

MOST_POSTS = 2**31 - 1  # Postgres counts them in integers of 32 bits
MOST_PAGES = 100_000


@blueprint.get("/")
def index() -> ResponseReturnValue:
    words = forms.text(request.args, "q")
    number = min(request.args.get("page", 1, type=int), MOST_PAGES)
    page = db.paginate(Post.newest_first(words), page=number, per_page=10)
    return render_template("blog/index.html", page=page, words=words)


@blueprint.get("/posts/<int:number>")
def show(number: int) -> ResponseReturnValue:
    return render_template("blog/show.html", post=find(number))


@blueprint.route("/posts/new", methods=["GET", "POST"])
@for_members
def write() -> ResponseReturnValue:
    if request.method == "POST" and (form := checked_form()):
        post = Post(author_id=g.account.id, **form)
        db.session.add(post)
        db.session.commit()
        return redirect(url_for("blog.show", number=post.id))
    return render_template("blog/form.html", post=None)


@blueprint.route("/posts/<int:number>/edit", methods=["GET", "POST"])
@for_members
def edit(number: int) -> ResponseReturnValue:
    post = own(number)
    if request.method == "POST" and (form := checked_form()):
        post.title, post.body = form["title"], form["body"]
        db.session.commit()
        return redirect(url_for("blog.show", number=post.id))
    return render_template("blog/form.html", post=post)


@blueprint.post("/posts/<int:number>/delete")
@for_members
def delete(number: int) -> ResponseReturnValue:
    db.session.delete(own(number))
    db.session.commit()
    return redirect(url_for("blog.index"))


def find(number: int) -> Post:
    """404 for a number that no post can have: asked for it, Postgres would say that it is out of range."""
    return db.get_or_404(Post, number) if number <= MOST_POSTS else abort(404)


def own(number: int) -> Post:
    post = find(number)
    if post.author is not g.account:
        abort(403)
    return post


def checked_form() -> dict[str, str] | None:
    """Title and body as the form has them, or None and a message if something is wrong with them."""
    title, body = forms.text(request.form, "title"), forms.text(request.form, "body")
    if not title or not body:
        flash("A post has a title and a text.")
        return None
    if len(title) > 120:
        flash("A title has at most 120 characters.")
        return None
    return {"title": title, "body": body}
