"""How reports look to a person: what each kind says, what the auditors said, what came out."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.files.models import Attachment
from app.tickets import codes
from app.tickets.models import (
    ConsultationAnswer,
    DeclarationResult,
    Investigation,
    Opinion,
    Report,
    Ticket,
)
from app.tickets.queries import audits_of
from app.tickets.report_forms import CALLBACK
from app.ui.present import DECISIONS, file_view, shown

Facts = list[tuple[str, str]]


def report_views(
    ticket: Ticket,
    reports: Sequence[Report],
    opinions: Sequence[Opinion],
    files: Sequence[Attachment],
) -> list[dict[str, Any]]:
    """All versions of the report, oldest first, each with what the auditors said of it."""
    views = []
    ordered = sorted(reports, key=lambda r: r.version)
    for number, report in enumerate(ordered):
        following = ordered[number + 1] if number + 1 < len(ordered) else None
        audits = [
            o
            for o in audits_of(report, opinions)
            if following is None or o.at < following.submitted_at
        ]
        label, tone = _state(audits, ticket.completed_at is not None)
        views.append(
            {
                "title": f"第 {report.version} 版{report.noun}",
                "at": shown(report.submitted_at),
                "who": report.author_name,
                "state_label": label,
                "tone": tone,
                "facts": facts_of(report),
                "opinion": "；".join(
                    f"{o.author_name}：{DECISIONS[o.decision]}{'，' + o.text if o.text else ''}"
                    for o in audits
                ),
                "files": [file_view(f) for f in files if f.task_id == report.task_id],
            }
        )
    return views


def facts_of(report: Report) -> Facts:
    """What a version says, by label, as its kind has it."""
    return _FACTS[type(report)](report)


def outcome(report: Report) -> str:
    """What came out, in a word or two, for the list of what one has done."""
    return _OUTCOMES[type(report)](report)


def _state(audits: Sequence[Opinion], completed: bool) -> tuple[str, str]:
    """(label, tone) of a version, by the last word on it."""
    if audits:
        rejected = audits[-1].decision == "reject"
        return ("已驳回", "red") if rejected else ("审核同意", "green")
    return ("无须审核", "green") if completed else ("待审核", "blue")


def _told(status: int | None, report: Report) -> str:
    told = codes.INFORM_STATUS.label(status)
    if report.contact_attempts:
        tried = "、".join(shown(datetime.fromisoformat(each)) for each in report.contact_attempts)
        return f"{told}（{tried}）"
    if report.informed_at is None:
        return told
    method = codes.INFORM_METHOD.label(report.inform_method)
    return f"{told}（{shown(report.informed_at)}{'，' + method if method else ''}）"


def _investigation(report: Investigation) -> Facts:
    people = "；".join(
        f"{one['name']}（{one['position']}，{one['phone']}）" for one in report.investigators
    )
    amount = "" if report.amount_involved is None else f"{report.amount_involved:,.2f} 元"
    return [
        ("调查核实时间", report.investigated_at.isoformat()),
        ("属实情况", codes.VERIFICATION_RESULT.label(report.verification_result)),
        ("涉及金额", amount),
        ("告知诉求人", _told(report.inform_status, report)),
        ("调查人员", people),
        ("反馈信访人情况", report.petitioner_feedback),
        ("处理意见", report.handling_opinion or ""),
    ]


def _declaration(report: DeclarationResult) -> Facts:
    return [
        ("办理结果", codes.DECLARATION_OUTCOME.label(report.outcome)),
        ("监测对象类型", codes.MONITOR_TYPE.label(report.monitor_type)),
        ("结果说明", report.outcome_note or ""),
        ("告知诉求人", _told(report.inform_status, report)),
        ("办理人", f"{report.author_name}（{report.author_phone}）"),
        ("反馈信访人情况", report.petitioner_feedback),
    ]


def _answer(report: ConsultationAnswer) -> Facts:
    adopted = [] if report.adopted is None else [("采纳情况", codes.ADOPTION.label(report.adopted))]
    told = _told(report.inform_status, report)
    return [
        *adopted,
        ("答复方式", f"已回电：{told}" if report.answer_mode == CALLBACK else "由12345转告"),
        ("答复人", f"{report.author_name}（{report.author_phone}）"),
        ("答复内容", report.answer),
    ]


_FACTS: Mapping[type[Report], Callable[[Any], Facts]] = {
    Investigation: _investigation,
    DeclarationResult: _declaration,
    ConsultationAnswer: _answer,
}
_OUTCOMES: Mapping[type[Report], Callable[[Any], str]] = {
    Investigation: lambda report: codes.VERIFICATION_RESULT.label(report.verification_result),
    DeclarationResult: lambda report: codes.DECLARATION_OUTCOME.label(report.outcome),
    ConsultationAnswer: lambda report: codes.ADOPTION.label(report.adopted) or "已答复",
}
