"""One's own account (账号与密码): password, how one is told, tokens of the staff interface."""

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app.api.http import client_ip
from app.core import clock
from app.core.db import transact
from app.core.errors import FieldError, Invalid
from app.security import passwords, queries, services, sessions, tokens
from app.security.models import ApiToken
from app.security.permissions import may, role_names
from app.security.principal import Principal
from app.ui.forms import form_errors
from app.ui.notifications import preferences_of
from app.ui.page import draw, permitted
from app.ui.present import shown

blueprint = Blueprint("account", __name__)

TOKEN_DAYS = (30, 90, 180, 365)


@blueprint.get("/account")
@permitted("account.password")
def show(principal: Principal) -> str:
    """The page; it is the only one while the password must be changed."""
    return _page(principal)


@blueprint.post("/account/password")
@permitted("account.password")
def change_password(principal: Principal) -> Any:
    """Change it. Every other browser is signed out; this one gets a new session."""
    old, new = request.form.get("old_password", ""), request.form.get("new_password", "")

    def work() -> None:
        now, ip = clock.now(), client_ip()
        if new != request.form.get("new_again", ""):
            raise Invalid([FieldError("new_again", "match", "两次输入的新密码不一致")])
        services.change_password(principal, old, new, ip=ip, now=now)
        sessions.sign_in(principal, ip)

    try:
        transact(work)
    except Invalid as refusal:
        return _page(principal, errors=form_errors(refusal)), 422
    flash("密码已修改，其他设备上的登录已全部退出", "success")
    return redirect(url_for("worklist.home" if principal.must_change_password else "account.show"))


@blueprint.post("/account/tokens")
@permitted("account.token")
def create_token(principal: Principal) -> Any:
    """Make a token and show it in this answer only; nobody can read it again."""
    name, days = request.form.get("name", ""), request.form.get("days", 0, type=int)
    try:
        token = transact(
            lambda: tokens.create_token(principal, name, clock.now(), days, ip=client_ip())
        )
    except Invalid as refusal:
        return _page(principal, token_errors=form_errors(refusal), token_name=name), 422
    return _page(principal, token=token), 201


@blueprint.post("/account/tokens/<int:token_id>/revoke")
@permitted("account.token")
def revoke_token(principal: Principal, token_id: int) -> Response:
    """End one of one's own tokens; programs that use it are refused from now on."""
    transact(lambda: tokens.revoke_token(principal, token_id, clock.now(), ip=client_ip()))
    flash("令牌已撤销", "success")
    return redirect(url_for("account.show"))


def _page(principal: Principal, **context: Any) -> str:
    may_hold = may(principal, "account.token") and not principal.must_change_password
    now = clock.now()
    rows = queries.tokens_of(principal.user_id) if may_hold else []
    return draw(
        "account/index.html",
        principal,
        active="account",
        username=principal.username,
        roles="、".join(role_names(principal.roles)),
        must_change=principal.must_change_password,
        policy=f"{passwords.MINIMUM}–{passwords.MAXIMUM} 个字符，大写字母、小写字母、数字、符号中"
        f"至少三类，不含用户名，不与最近 {passwords.HISTORY} 次相同；"
        f"每 {passwords.VALID_DAYS} 天须更换",
        tokens=[_token(row) for row in rows if row.expires_at > now],
        may_hold_tokens=may_hold,
        token_days=TOKEN_DAYS,
        told=None if principal.must_change_password else preferences_of(principal),
        **context,
    )


def _token(row: ApiToken) -> dict[str, Any]:
    return {
        "name": row.name,
        "created_at": shown(row.created_at),
        "expires_at": shown(row.expires_at),
        "last_used_at": shown(row.last_used_at),
        "revoke_url": url_for("account.revoke_token", token_id=row.id),
    }
