"""The posts: read, search, write, change, delete."""

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .accounts import for_members
from .extensions import db
from .models import Post

blueprint = Blueprint("blog", __name__)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    words = request.args.get("q", "").strip()
    page = db.paginate(Post.newest_first(words), per_page=10)
    return render_template("blog/index.html", page=page, words=words)


@blueprint.get("/posts/<int:number>")
def show(number: int) -> ResponseReturnValue:
    return render_template("blog/show.html", post=db.get_or_404(Post, number))


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


def own(number: int) -> Post:
    post = db.get_or_404(Post, number)
    if post.author is not g.account:
        abort(403)
    return post


def checked_form() -> dict[str, str] | None:
    """Title and body as the form has them, or None and a message if something is wrong with them."""
    title, body = request.form.get("title", "").strip(), request.form.get("body", "").strip()
    if not title or not body:
        flash("A post has a title and a text.")
        return None
    if len(title) > 120:
        flash("A title has at most 120 characters.")
        return None
    return {"title": title, "body": body}
