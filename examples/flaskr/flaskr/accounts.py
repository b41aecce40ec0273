"""Register, log in, log out."""

from collections.abc import Callable
from functools import wraps

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from . import forms
from .extensions import db
from .models import Account

blueprint = Blueprint("accounts", __name__, url_prefix="/accounts")

# Checked when there is no such account, so that the time an answer takes does not tell which names exist.
NOBODY = generate_password_hash("")


@blueprint.before_app_request
def load_account() -> None:
    number = session.get("account")
    g.account = db.session.get(Account, number) if number else None


def for_members(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Send whoever is not logged in to the log-in page."""

    @wraps(view)
    def guarded(**arguments: object) -> ResponseReturnValue:
        if g.account is None:
            return redirect(url_for("accounts.log_in"))
        return view(**arguments)

    return guarded


@blueprint.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    if request.method == "POST":
        name, password = forms.text(request.form, "name"), request.form.get("password", "")
        problem = problem_with(name, password)
        if problem is None:
            account = Account(name=name)
            account.set_password(password)
            db.session.add(account)
            try:
                db.session.commit()
            except IntegrityError:  # two people may want one name at the same moment: the database decides
                db.session.rollback()
                problem = f"The name {name} is taken."
            else:
                return welcome(account)
        flash(problem)
    return render_template("accounts/register.html")


def problem_with(name: str, password: str) -> str | None:
    if not 1 <= len(name) <= 40:
        return "A name has 1 to 40 characters."
    if len(password) < 8:
        return "A password has at least 8 characters."
    return None


@blueprint.route("/log-in", methods=["GET", "POST"])
def log_in() -> ResponseReturnValue:
    if request.method == "POST":
        account = Account.named(forms.text(request.form, "name"))
        password = request.form.get("password", "")
        if account is not None and account.has_password(password):
            return welcome(account)
        if account is None:
            check_password_hash(NOBODY, password)
        flash("That name and that password do not belong together.")
    return render_template("accounts/log_in.html")


def welcome(account: Account) -> ResponseReturnValue:
    session.clear()  # a session from before the log-in must not live on in it
    session["account"] = account.id
    return redirect(url_for("blog.index"))


@blueprint.post("/log-out")
def log_out() -> ResponseReturnValue:
    session.clear()
    return redirect(url_for("blog.index"))
