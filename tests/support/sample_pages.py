# ruff: noqa: E501 - a page of sample data is easier to read in long rows
"""The page templates with sample contexts, as a small Flask application of their own.

For the tests of templates and for looking at them; the product's views are tested with the product.
Every page carries the product's content security policy.
"""

import itertools
from typing import Any

from flask import (
    Flask,
    Response,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
)
from flask_wtf import CSRFProtect
from marshmallow import ValidationError

from app.ui import templating
from app.ui.forms import form_errors, parse_form
from tests.support.sample_contexts import USER, frame, ticket, worklist
from tests.support.sample_forms import Investigation

CSP = "default-src 'self'"
DIVISIONS = {
    "": [("410000000000", "河南省", True), ("520000000000", "贵州省", True)],
    "410000000000": [("411500000000", "信阳市", True)],
    "411500000000": [("411525000000", "固始县", True)],
    "411525000000": [("411525103000", "陈淋子镇", False)],
}


DIAGRAM = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
  xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI"
  id="d" targetNamespace="urn:sample"><process id="sample" isExecutable="true">
  <startEvent id="received" name="受理"/>{tasks}<endEvent id="closed" name="办结"/>{flows}</process>
  <bpmndi:BPMNDiagram id="g"><bpmndi:BPMNPlane id="p" bpmnElement="sample">{shapes}{edges}
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram></definitions>"""
STEPS = [
    ("received", ""),
    ("sign_in", "省级签收"),
    ("review", "初审"),
    ("dispatch", "分派"),
    ("city_forward", "市级转办"),
    ("handle", "调查办理"),
    ("audit_city", "市级审核"),
    ("audit_province", "省级审核"),
    ("closed", ""),
]


def diagram() -> str:
    """A row of steps."""
    shapes, edges, flows = [], [], []
    for column, (step, name) in enumerate(STEPS):
        width, height, top = (100, 80, 80) if name else (36, 36, 102)
        shapes.append(
            f'<bpmndi:BPMNShape id="s_{step}" bpmnElement="{step}"><dc:Bounds x="{100 + column * 150}"'
            f' y="{top}" width="{width}" height="{height}"/></bpmndi:BPMNShape>'
        )
    for column, ((one, name), (two, _)) in enumerate(itertools.pairwise(STEPS)):
        left = 100 + column * 150 + (100 if name else 36)
        flows.append(f'<sequenceFlow id="f_{one}" sourceRef="{one}" targetRef="{two}"/>')
        edges.append(
            f'<bpmndi:BPMNEdge id="e_{one}" bpmnElement="f_{one}"><di:waypoint x="{left}" y="120"/>'
            f'<di:waypoint x="{100 + (column + 1) * 150}" y="120"/></bpmndi:BPMNEdge>'
        )
    tasks = "".join(f'<userTask id="{step}" name="{name}"/>' for step, name in STEPS if name)
    return DIAGRAM.format(
        tasks=tasks, flows="".join(flows), shapes="".join(shapes), edges="".join(edges)
    )


def create() -> Flask:
    """The application; what is posted to it is kept in `app.extensions["posted"]`."""
    app = Flask("app", static_folder=None, template_folder="ui/templates")
    app.secret_key = "sample"
    CSRFProtect(app)
    templating.install(app)
    posted: dict[str, Any] = {"drafts": [], "files": [], "complete": None}
    app.extensions["posted"] = posted

    @app.after_request
    def policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CSP
        return response

    @app.route("/worklist", methods=["GET", "POST"])
    def worklist_page() -> Response:
        part = request.headers.get("HX-Request")
        page = render_template(
            "worklist/_rows.html" if part else "worklist/index.html", **worklist()
        )
        light = request.values.get("light")
        return Response(
            page, headers={"HX-Push-Url": f"/worklist?light={light}" if light else "/worklist"}
        )

    @app.get("/ticket")
    def ticket_page() -> str:
        return render_template("ticket/index.html", **ticket())

    @app.post("/ticket")
    def complete() -> Response:
        schema = Investigation()
        data = parse_form(schema, request.form)
        try:
            posted["complete"] = schema.load(data)
        except ValidationError as refused:
            page = "ticket/_task.html" if request.headers.get("HX-Request") else "ticket/index.html"
            return make_response(render_template(page, **ticket(form_errors(refused), data)), 422)
        return Response(status=200, headers={"HX-Redirect": "/worklist"})

    @app.post("/draft")
    def draft() -> Response:
        posted["drafts"].append(parse_form(Investigation(), request.form))
        return jsonify(saved_at="09:31")

    @app.post("/upload")
    def upload() -> tuple[Response, int]:
        file = request.files["file"]
        if file.filename.endswith(".exe"):
            return jsonify(message="不支持此类文件"), 415
        posted["files"].append((request.form["field"], file.filename))
        return jsonify(id=str(100 + len(posted["files"])), name=file.filename, size="3 KB"), 201

    @app.get("/divisions.json")
    def divisions() -> Response:
        keys = ("division_code", "division_name", "has_children")
        if "path_of" in request.args:
            chain = [rows[0] for rows in DIVISIONS.values()]
            return jsonify(items=[dict(zip(keys, row, strict=True)) for row in chain])
        rows = DIVISIONS.get(request.args["parent_code"], [])
        return jsonify(items=[dict(zip(keys, row, strict=True)) for row in rows])

    @app.get("/diagram.bpmn")
    def bpmn() -> Response:
        return Response(diagram(), mimetype="application/xml")

    @app.get("/tickets")
    def tickets() -> str:
        rows = [
            {
                **row,
                "type_label": "投诉举报",
                "status_label": "办理中",
                "holder": "固始县农业农村局",
                "received_at": "11-16 09:12",
                "external_ticket_no": "GZ12345-20261123-000981",
            }
            for row in worklist()["rows"]
        ]
        filters = {
            "statuses": [("handling", "办理中")],
            "types": [("complaint", "投诉举报")],
            "categories": ["低保"],
        }
        return render_template(
            "tickets/index.html",
            **frame(
                rows=rows,
                filters=filters,
                list_url="/tickets",
                next_url="/tickets?after=6",
                first_url="/tickets",
                total=1284,
                export_url="/export",
            ),
        )

    @app.get("/done")
    def done() -> str:
        row = {
            "title": "反映低保金三个月未发放",
            "acceptance_no": "TS5200002026112300042S",
            "category": "低保",
            "step": "市级审核",
            "outcome": "同意",
            "status_label": "已办结",
            "area": "信阳市 固始县",
            "done_at": "11-20 15:02",
            "url": "/ticket",
        }
        return render_template(
            "done/index.html",
            **frame(
                rows=[row] * 3,
                filters={},
                list_url="/done",
                next_url=None,
                first_url=None,
                total=None,
            ),
        )

    @app.get("/login")
    def login() -> str:
        failure = "用户名或密码不正确，或账号已被锁定" if "failed" in request.args else None
        return render_template(
            "login.html",
            **frame(
                user=None,
                nav=[],
                login_url="/login",
                username="",
                next="",
                failure=failure,
                needs_code="code" in request.args,
            ),
        )

    @app.get("/error/<int:status>")
    def error(status: int) -> str:
        return render_template(
            "error.html",
            **frame(
                user=None if status == 401 else USER,
                status=status,
                title="没有找到",
                message="工单不存在，或不在您的管辖范围内。",
                request_id="b1f0",
                back_url="/worklist",
            ),
        )

    @app.get("/docs")
    def docs() -> str:
        return render_template("swagger.html", title="接口文档", spec="/openapi.json")

    @app.get("/openapi.json")
    def openapi() -> Response:
        operation = {"summary": "提交投诉工单", "responses": {"201": {"description": "已受理"}}}
        return jsonify(
            openapi="3.1.0",
            info={"title": "12345 对接接口", "version": "v1"},
            paths={"/complaints": {"post": operation}},
        )

    @app.post("/urge")
    def urge() -> Response:
        posted["urged"] = True
        return redirect("/ticket")

    @app.get("/<path:rest>")
    def missing(rest: str) -> None:
        abort(404)

    return app
