//! The pages that a person sees. The form is named as Keycloak's, so that one scripted browser
//! serves both.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { display: grid; place-items: center; min-height: 100vh; margin: 0;
       background: light-dark(#eef1f5, #14171c); }
main { width: min(22rem, 90vw); padding: 2rem; border-radius: 12px;
       background: light-dark(#fff, #1f242c); box-shadow: 0 8px 30px #0002; }
h1 { font-size: 1.25rem; margin: 0 0 .25rem; }
p { margin: 0 0 1.25rem; color: light-dark(#556, #aab); }
p.error { color: light-dark(#b3261e, #ff8a80); }
label { display: block; font-size: .9rem; }
input { box-sizing: border-box; width: 100%; margin: .25rem 0 1rem; padding: .6rem;
        font: inherit; border: 1px solid #8888; border-radius: 8px; }
button { font: inherit; padding: .6rem 1.2rem; border-radius: 8px; border: 1px solid #8888; }
button.primary { background: #2f6feb; color: #fff; border-color: #2f6feb; }
";

/// The login form.
pub(super) fn form(action: &str, client: &str, user: &str, error: Option<&str>) -> Response {
    let error = error.map_or_else(String::new, |error| {
        format!(
            "<p class=\"error\" id=\"input-error\" role=\"alert\">{}</p>",
            escape(error)
        )
    });
    page(
        StatusCode::OK,
        "Sign in",
        &format!(
            r#"<h1>Sign in</h1><p>to <b>{client}</b>, at the Kubefob playground</p>{error}
<form id="kc-form-login" action="{action}" method="post">
<label for="username">Username</label>
<input id="username" name="username" value="{user}" autocomplete="username" autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password">
<button class="primary" id="kc-login" name="login" type="submit">Sign in</button>
<button name="cancel" value="true" type="submit">Cancel</button>
</form>"#,
            client = escape(client),
            action = escape(action),
            user = escape(user),
        ),
    )
}

/// A refusal that ends here, with no way back to the client.
pub(super) fn refusal(text: &str) -> Response {
    let body = format!(
        "<h1>We are sorry…</h1><p id=\"kc-error-message\">{}</p>",
        escape(text)
    );
    page(StatusCode::BAD_REQUEST, "We are sorry…", &body)
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    );
    (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_typed_becomes_markup() {
        assert_eq!(
            escape(r#"<a b="c">&'"#),
            "&lt;a b=&quot;c&quot;&gt;&amp;&#39;"
        );
    }
}
