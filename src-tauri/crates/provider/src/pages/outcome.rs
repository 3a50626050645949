//! How it went on and how it ended.

use std::time::Duration;

use broker::problem::{Code, Problem, Refusal};
use broker::texts::{Language, Parameters, text};
use broker::tokens::Tokens;

use super::html::Html;
use super::{
    CROSS, Page, TICK, TRIANGLE, code, heading, mark, paragraph, row, span, stacked, warning,
};

/// Sends the browser on to the provider. A page, and no redirect: a form's `form-action` would
/// have to name every site that the provider may lead to.
pub(crate) fn onward(language: Language, host: &str, address: &str) -> Page {
    let host = [("host", host.to_owned())];
    let title = text(language, "page.go.title", &host);
    let link = Html::element(
        "a",
        &[("class", "button"), ("href", address)],
        Html::text(&text(language, "page.go.button", &host)),
    );
    let body = heading(&title)
        .then(paragraph(&text(language, "page.go.text", &[])))
        .then(Html::element("p", &[("class", "buttons")], link));
    Page {
        language,
        title,
        body,
        asks: false,
        onward: Some(address.to_owned()),
    }
}

/// Says where people sign in who are sent to another place than the one that they were asked about. Nobody is sent on
/// by itself: it is here that a person can still close the page.
pub(crate) fn elsewhere(language: Language, host: &str, place: &str, address: &str) -> Page {
    let names = [("host", host.to_owned()), ("place", place.to_owned())];
    let title = text(language, "page.elsewhere.title", &names);
    let link = Html::element(
        "a",
        &[("class", "button"), ("href", address)],
        Html::text(&text(language, "page.elsewhere.button", &names)),
    );
    let body = heading(&title)
        .then(paragraph(&text(language, "page.elsewhere.text", &names)))
        .then(paragraph(&text(
            language,
            "page.elsewhere.otherwise",
            &names,
        )))
        .then(Html::element("p", &[("class", "buttons")], link));
    Page {
        language,
        title,
        body,
        asks: false,
        onward: None,
    }
}

/// Somebody is signed in. `remark`: what is less than perfect about it.
pub(crate) fn done(
    language: Language,
    tokens: &Tokens,
    asker: Option<&str>,
    remark: Option<&Problem>,
) -> Page {
    let title = text(
        language,
        "page.done.title",
        &[("name", tokens.identity.name.clone())],
    );
    let answered = match asker {
        Some(asker) => text(language, "page.done.text", &[("asker", asker.to_owned())]),
        None => text(language, "page.done.anybody", &[]),
    };
    let groups = &tokens.identity.groups;
    let mut list = Html::default();
    if !groups.is_empty() {
        let shown = stacked(groups.iter().take(12).map(|group| code(group)));
        let more = groups.len().saturating_sub(12);
        let rest = if more == 0 {
            Html::default()
        } else {
            span(&format!("+ {more}"))
        };
        list = list.then(row(
            &text(language, "page.done.groups", &[]),
            shown.then(rest),
        ));
    }
    list = list.then(row(
        &text(language, "page.done.from-now", &[]),
        Html::text(&from_now_on(language, tokens)),
    ));
    let remark = remark.map_or_else(Html::default, |problem| remarked(language, problem));
    let body = mark("mark well", TICK)
        .then(heading(&title))
        .then(paragraph(&answered))
        .then(Html::element("dl", &[], list))
        .then(remark);
    Page {
        language,
        title,
        body,
        asks: false,
        onward: None,
    }
}

/// The question was answered with yes, and nothing else is to be done.
pub(crate) fn allowed(language: Language, asker: &str, remark: Option<&Problem>) -> Page {
    let back = match remark {
        None => Html::element(
            "p",
            &[("class", "note")],
            Html::element(
                "small",
                &[],
                Html::text(&text(language, "page.allowed.back", &[])),
            ),
        ),
        Some(problem) => remarked(language, problem),
    };
    let title = text(language, "page.allowed.title", &[]);
    let body = mark("mark well", TICK)
        .then(heading(&title))
        .then(paragraph(&text(
            language,
            "page.allowed.text",
            &[("asker", asker.to_owned())],
        )))
        .then(back);
    Page {
        language,
        title,
        body,
        asks: false,
        onward: None,
    }
}

fn remarked(language: Language, problem: &Problem) -> Html {
    let words = format!("{} {}", problem.message(language), problem.hint(language));
    Html::element("div", &[("class", "note")], warning(&words))
}

/// The question was answered with no.
pub(crate) fn not_allowed(language: Language, asker: &str) -> Page {
    let title = text(language, "page.not-allowed.title", &[]);
    let asker = [("asker", asker.to_owned())];
    let body = mark("mark calm", CROSS)
        .then(heading(&title))
        .then(paragraph(&text(language, "page.not-allowed.text", &asker)));
    Page {
        language,
        title,
        body,
        asks: false,
        onward: None,
    }
}

/// Something went wrong. `told`: whether the sign-in is over and whoever waits was told.
pub(crate) fn failed(language: Language, refusal: &Refusal, told: bool) -> Page {
    let problem = &refusal.problem;
    let say = |key| text(language, key, &[]);
    let title = say(title_of(problem.code()));
    let message = if told {
        format!("{} {}", refusal.message(language), say("page.failed.told"))
    } else {
        refusal.message(language)
    };
    let to_do = row(
        &say("page.failed.to-do"),
        Html::text(&refusal.hint(language)),
    );
    let details = [
        ("error", "page.failed.provider-code"),
        ("reason", "page.failed.reason"),
        ("host", "page.failed.host"),
        ("client", "page.failed.client-id"),
    ]
    .into_iter()
    .filter_map(|(parameter, key)| Some(row(&say(key), code(&problem.parameter(parameter)?))))
    .fold(
        row(&say("page.failed.code"), code(problem.code().name())),
        Html::then,
    );
    let body = mark("mark failed", TRIANGLE)
        .then(heading(&title))
        .then(paragraph(&message))
        .then(Html::element("dl", &[], to_do))
        .then(Html::element(
            "details",
            &[],
            Html::element("summary", &[], Html::text(&say("page.failed.details")))
                .then(Html::element("dl", &[], details)),
        ));
    Page {
        language,
        title,
        body,
        asks: false,
        onward: None,
    }
}

fn title_of(code: Code) -> &'static str {
    const TITLES: &[(&[Code], &str)] = &[
        (&[Code::ClientRefused], "page.failed.client"),
        (
            &[
                Code::Unreachable,
                Code::ProviderFault,
                Code::TlsFailed,
                Code::TlsFailedOwnCa,
            ],
            "page.failed.reach",
        ),
        (
            &[Code::SignInRefused, Code::RequestRefused],
            "page.failed.refused",
        ),
        (&[Code::OtherPerson], "page.failed.person"),
        (&[Code::SignInTimedOut], "page.failed.time"),
        (&[Code::TicketUsed], "page.failed.used"),
        (&[Code::VisitorUnknown], "page.failed.visitor"),
        (&[Code::AskerEnded], "page.failed.ended"),
        (&[Code::QuestionOver], "page.failed.over"),
        (&[Code::ForeignCallback], "page.failed.foreign"),
        (&[Code::BadToken, Code::NoIdToken], "page.failed.token"),
    ];
    let fitting = TITLES.iter().find(|(codes, _)| codes.contains(&code));
    fitting.map_or("page.failed.title", |(_, title)| title)
}

fn from_now_on(language: Language, tokens: &Tokens) -> String {
    if tokens.refresh.is_none() {
        let parameters = [("span", span_of(language, tokens.lifetime()))];
        return text(language, "page.done.ends", &parameters);
    }
    match tokens.refresh_expires {
        None => text(language, "page.done.renews", &[]),
        Some(end) => {
            let parameters = [("span", span_of(language, end.since(tokens.obtained)))];
            text(language, "page.done.renews-within", &parameters)
        }
    }
}

/// A span in the largest unit that says it well.
fn span_of(language: Language, span: Duration) -> String {
    let seconds = span.as_secs();
    let (key, count) = match seconds {
        0..120 => ("page.span.seconds", seconds),
        120..7200 => ("page.span.minutes", seconds / 60),
        7200..172_800 => ("page.span.hours", seconds / 3600),
        _ => ("page.span.days", seconds / 86_400),
    };
    let parameters: Parameters = vec![("count", count.to_string())];
    text(language, key, &parameters)
}
