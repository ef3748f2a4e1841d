"""The two OpenAPI 3.1 documents and their Swagger pages, self-hosted."""

from flask import Blueprint, Flask, render_template
from flask_smorest import Api
from sqlalchemy import text

from app.core.db import session
from app.tickets import fields as own

PARTNER = "PARTNER_"
STAFF = "STAFF_"

_NOTES = {
    PARTNER: "省级12345平台对接接口。每个请求须签名："
    "X-App-Id、X-Timestamp（毫秒）、X-Nonce（16–64位）、"
    "X-Sign-Method（HMAC-SHA256 或 HMAC-SM3）、X-Body-Digest（请求体摘要，十六进制）、X-Signature。"
    "待签名串为 METHOD\\nPATH\\n排序后的查询串\\n请求体摘要\\napp_id\\ntimestamp\\nnonce。",
    STAFF: "内部系统接口，使用 Bearer 令牌（flask token create 生成）。",
}


class _Api(Api):  # type: ignore[misc]
    """flask-smorest without its error handlers: refusals have one form, for pages and machines."""

    def _register_error_handlers(self) -> None:
        """Leave the application's own in place."""


def make_api(app: Flask, prefix: str, title: str, base: str) -> Api:
    """One of the two documents, at `<base>/openapi.json`."""
    app.config.update(
        {
            f"{prefix}API_TITLE": title,
            f"{prefix}API_VERSION": "v1",
            f"{prefix}OPENAPI_VERSION": "3.1.0",
            f"{prefix}OPENAPI_URL_PREFIX": base,
            f"{prefix}OPENAPI_JSON_PATH": "openapi.json",
            f"{prefix}API_SPEC_OPTIONS": {"info": {"description": _NOTES[prefix]}},
        }
    )
    api = _Api(app, config_prefix=prefix)
    for field, kind, shape in (
        (own.CleanText, "string", None),
        (own.CodeOf, "integer", None),
        (own.CodesOf, "array", None),
        (own.YesNo, "boolean", None),
        (own.Moment, "string", "date-time"),
        (own.Day, "string", "date"),
    ):
        api.register_field(field, kind, shape)
    return api


pages = Blueprint("api_documents", __name__)


@pages.get("/openapi/v1/docs")
def partner_docs() -> str:
    """Swagger page of the partner interface."""
    return render_template("swagger.html", title="12345 对接接口", spec="/openapi/v1/openapi.json")


@pages.get("/api/v1/docs")
def staff_docs() -> str:
    """Swagger page of the staff interface."""
    return render_template("swagger.html", title="内部系统接口", spec="/api/v1/openapi.json")


@pages.get("/healthz")
def health() -> dict[str, str]:
    """For load balancers: the process serves and reaches its database. No secrets."""
    session().execute(text("select 1"))
    return {"status": "ok"}
