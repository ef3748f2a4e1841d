"""Profiles of 12345 platforms (对接平台档案), for system administrators; secrets are shown once."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from flask import Blueprint, flash, redirect, request, url_for

from app.api.http import client_ip
from app.core import clock
from app.core.db import session, transact
from app.core.errors import HotlineError, Invalid
from app.exchange import partners, rules
from app.exchange.models import Partner
from app.security import access
from app.security.permissions import may
from app.security.principal import Principal
from app.ui import partner_forms as forms
from app.ui import present
from app.ui.forms import field_views, form_errors, parse_form
from app.ui.page import draw, permitted

blueprint = Blueprint("partners", __name__)

_FIRST = {
    "enabled": True,
    "sign_methods": list(partners.ALGORITHMS),
    "delivery": rules.PUSH,
    "anonymity_mode": partners.ANONYMITY_MODES[0],
    "requests_per_minute": 1200,
    "request_burst": 200,
}
_NO_MAPPING: dict[str, Any] = {"field_names": {}, "boolean_mapping": {}}


@blueprint.get("/partners")
@permitted("partner.view")
def index(principal: Principal) -> str:
    """Every platform."""
    return draw(
        "partners/index.html",
        principal,
        active="partners",
        rows=[
            {
                "name": each.name,
                "app_id": each.app_id,
                "province": each.province_code,
                "delivery": rules.DELIVERIES[each.delivery],
                "address": each.callback_base or "",
                "enabled": each.enabled,
                "rotating": len(each.secrets) > 1,
                "url": url_for("partners.show", partner_id=each.id),
            }
            for each in partners.all_of()
        ],
        new_url=url_for("partners.blank") if may(principal, "partner.manage") else None,
    )


@blueprint.get("/partners/new")
@permitted("partner.manage")
def blank(principal: Principal) -> str:
    """An empty profile."""
    return _form(principal, None, _FIRST)


@blueprint.post("/partners/new")
@permitted("partner.manage")
def create(principal: Principal) -> Any:
    """Make it; its secret is on the page that follows, and nowhere again."""
    values = parse_form(forms.NewPartnerForm(), request.form)
    profile = forms.profile(values)
    app_id = str(values.get("app_id") or "")

    def work() -> tuple[int, str]:
        made, secret = partners.create(app_id, profile)
        _record(principal, "partner.create", made.id, app_id=app_id)
        return made.id, secret

    try:
        partners.check(profile)
        if preview := _to_look_at(forms.mapping(profile), _NO_MAPPING):
            return _form(principal, None, values, preview=preview)
        number, secret = transact(work)
    except Invalid as refusal:
        return _form(principal, None, values, form_errors(refusal)), 422
    return _secret(principal, partners.get(number), secret)


@blueprint.get("/partners/<int:partner_id>")
@permitted("partner.view")
def show(principal: Principal, partner_id: int) -> str:
    """One profile."""
    partner = partners.get(partner_id)
    return _form(principal, partner, forms.shown(partner))


@blueprint.post("/partners/<int:partner_id>")
@permitted("partner.manage")
def save(principal: Principal, partner_id: int) -> Any:
    """Change it; a changed mapping is shown on a sample first and saved when sent again."""
    values = parse_form(forms.ProfileForm(), request.form)
    profile = forms.profile(values)
    partner = partners.get(partner_id)
    before = {name: getattr(partner, name) for name in profile}
    changed = {name: value for name, value in profile.items() if value != before[name]}

    def work() -> None:
        partners.update(partner_id, changed)
        _record(principal, "partner.update", partner_id, fields=sorted(changed))

    preview = _to_look_at(forms.mapping(profile), forms.mapping(before))
    session().rollback()
    try:
        if preview:
            partners.check(changed)
            return _form(principal, partners.get(partner_id), values, preview=preview)
        if changed:
            transact(work)
    except Invalid as refusal:
        session().rollback()
        return _form(principal, partners.get(partner_id), values, form_errors(refusal)), 422
    flash("已保存" if changed else "没有修改", "success")
    return redirect(url_for("partners.show", partner_id=partner_id))


@blueprint.post("/partners/<int:partner_id>/rotate")
@permitted("partner.manage")
def rotate(principal: Principal, partner_id: int) -> Any:
    """A second live secret, shown this once."""

    def work() -> str:
        secret = partners.rotate_secret(partner_id)
        _record(principal, "partner.rotate", partner_id)
        return secret

    try:
        secret = transact(work)
    except HotlineError as refusal:
        return _refused(partner_id, refusal)
    return _secret(principal, partners.get(partner_id), secret)


@blueprint.post("/partners/<int:partner_id>/retire")
@permitted("partner.manage")
def retire(principal: Principal, partner_id: int) -> Any:
    """End the rotation: the old secret is refused from now on."""

    def work() -> None:
        partners.retire_old_secret(partner_id)
        _record(principal, "partner.retire", partner_id)

    try:
        transact(work)
    except HotlineError as refusal:
        return _refused(partner_id, refusal)
    flash("旧密钥已停用", "success")
    return redirect(url_for("partners.show", partner_id=partner_id))


def _refused(partner_id: int, refusal: HotlineError) -> Any:
    if refusal.status != 409:
        raise refusal
    flash(refusal.message, "error")
    return redirect(url_for("partners.show", partner_id=partner_id))


def _to_look_at(new: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, str] | None:
    """The sample in the platform's words, when the mapping is another and was not looked at yet."""
    raw = orjson.dumps(new, option=orjson.OPT_SORT_KEYS)
    mark = hashlib.sha256(raw).hexdigest()
    if new == old or request.form.get("looked_at") == mark:
        return None
    said = rules.outgoing(forms.SAMPLE, new["field_names"], new["boolean_mapping"])
    return {"mark": mark, "text": orjson.dumps(said, option=orjson.OPT_INDENT_2).decode()}


def _form(
    principal: Principal,
    partner: Partner | None,
    values: Mapping[str, Any],
    errors: Mapping[str, list[str]] | None = None,
    preview: Mapping[str, str] | None = None,
) -> str:
    views = field_views((forms.ProfileForm if partner else forms.NewPartnerForm)())
    if partner is None:
        views = [views[-1], *views[:-1]]
    return draw(
        "partners/show.html",
        principal,
        active="partners",
        title=partner.name if partner else "新建对接平台",
        app_id=partner.app_id if partner else None,
        created_at=present.shown(partner.created_at) if partner else "",
        rotating=partner is not None and len(partner.secrets) > 1,
        form=views,
        values=values,
        errors=errors or {},
        preview=preview,
        may_manage=may(principal, "partner.manage"),
        save_url=url_for("partners.save", partner_id=partner.id)
        if partner
        else url_for("partners.create"),
        rotate_url=url_for("partners.rotate", partner_id=partner.id) if partner else None,
        retire_url=url_for("partners.retire", partner_id=partner.id) if partner else None,
        monitor_url=url_for("operations.partner", partner_id=partner.id)
        if partner and may(principal, "queue.view")
        else None,
        list_url=url_for("partners.index"),
    )


def _secret(principal: Principal, partner: Partner, secret: str) -> str:
    return draw(
        "partners/secret.html",
        principal,
        active="partners",
        name=partner.name,
        app_id=partner.app_id,
        secret=secret,
        back_url=url_for("partners.show", partner_id=partner.id),
    )


def _record(principal: Principal, action: str, partner_id: int, **detail: Any) -> None:
    access.record(
        principal,
        action,
        "partner",
        partner_id,
        ip=client_ip(),
        now=clock.now(),
        detail=detail,
    )
