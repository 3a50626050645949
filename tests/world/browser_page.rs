//! As much of HTML as a login page has: title, text, forms, and a refresh.

/// What a person would see and could press.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) forms: Vec<Form>,
    /// Where `<meta http-equiv="refresh">` leads, and after how many seconds.
    pub(crate) refresh: Option<(u64, String)>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) post: bool,
    pub(crate) fields: Vec<Field>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Field {
    /// `hidden`, `text`, `password`, `checkbox`, `submit`, …
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) checked: bool,
}

impl Page {
    pub(crate) fn parse(html: &str) -> Self {
        let mut page = Page::default();
        let mut rest = html;
        let mut in_form = false;
        while let Some(open) = rest.find('<') {
            page.say(&rest[..open]);
            rest = &rest[open..];
            if let Some(comment) = rest.strip_prefix("<!--") {
                rest = comment.split_once("-->").map_or("", |(_, after)| after);
                continue;
            }
            let (tag, after) = Tag::parse(&rest[1..]);
            rest = after;
            match tag.name.as_str() {
                "script" | "style" | "template" => rest = past_end(rest, &tag.name).1,
                "title" => {
                    let (title, after) = past_end(rest, "title");
                    // An SVG has titles too; the page's own comes first.
                    if page.title.is_empty() {
                        page.title = unescape(title).trim().to_owned();
                    }
                    rest = after;
                }
                "form" => {
                    in_form = true;
                    page.forms.push(Form {
                        action: tag.value("action"),
                        post: tag.value("method").eq_ignore_ascii_case("post"),
                        fields: Vec::new(),
                    });
                }
                "/form" => in_form = false,
                "input" | "button" if in_form => {
                    if let Some(form) = page.forms.last_mut() {
                        form.fields.push(tag.field());
                    }
                }
                "meta" if tag.value("http-equiv").eq_ignore_ascii_case("refresh") => {
                    page.refresh = refresh(&tag.value("content"));
                }
                _ => {}
            }
            // Whatever stands between words parts them.
            page.say(" ");
        }
        page.say(rest);
        page.text = page.text.split_whitespace().collect::<Vec<_>>().join(" ");
        page
    }

    fn say(&mut self, text: &str) {
        self.text.push_str(&unescape(text));
    }
}

impl Form {
    /// What is sent along whichever button is pressed.
    pub(crate) fn kept(&self) -> Vec<(String, String)> {
        self.fields
            .iter()
            .filter(|field| match field.kind.as_str() {
                "submit" | "button" | "reset" | "image" => false,
                "checkbox" | "radio" => field.checked,
                _ => true,
            })
            .filter(|field| !field.name.is_empty())
            .map(|field| (field.name.clone(), field.value.clone()))
            .collect()
    }

    pub(crate) fn field(&self, kinds: &[&str]) -> Option<&Field> {
        self.fields
            .iter()
            .find(|field| kinds.contains(&field.kind.as_str()))
    }

    pub(crate) fn buttons(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.kind == "submit")
    }
}

/// `name attribute=value …`, without the `<`.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// Returns what follows its `>` too.
    fn parse(text: &str) -> (Self, &str) {
        let end = text
            .find(|c: char| c.is_whitespace() || c == '>')
            .unwrap_or(text.len());
        let name = text[..end].trim_end_matches('/').to_ascii_lowercase();
        let mut tag = Tag {
            name,
            attributes: Vec::new(),
        };
        let mut rest = &text[end..];
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if let Some(after) = rest.strip_prefix('>') {
                return (tag, after);
            }
            if rest.is_empty() {
                return (tag, rest);
            }
            let end = rest
                .find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/'))
                .unwrap_or(rest.len())
                .max(1);
            let name = rest.get(..end).unwrap_or(rest).to_ascii_lowercase();
            rest = rest.get(end..).unwrap_or_default();
            let mut value = "";
            if let Some(after) = rest.trim_start().strip_prefix('=') {
                (value, rest) = attribute_value(after.trim_start());
            }
            tag.attributes.push((name, unescape(value)));
        }
    }

    fn value(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn field(&self) -> Field {
        let default = if self.name == "button" {
            "submit"
        } else {
            "text"
        };
        Field {
            kind: self.get("type").unwrap_or(default).to_ascii_lowercase(),
            name: self.value("name"),
            value: self.get("value").unwrap_or_default().to_owned(),
            checked: self.get("checked").is_some(),
        }
    }
}

fn attribute_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = text
        .find(|c: char| c.is_whitespace() || c == '>')
        .unwrap_or(text.len());
    text.split_at(end)
}

/// What stands before the end tag, and what after it.
fn past_end<'text>(text: &'text str, name: &str) -> (&'text str, &'text str) {
    let lower = text.to_ascii_lowercase();
    let Some(end) = lower.find(&format!("</{name}")) else {
        return (text, "");
    };
    let after = text[end..].split_once('>').map_or("", |(_, after)| after);
    (&text[..end], after)
}

fn refresh(content: &str) -> Option<(u64, String)> {
    let (seconds, target) = content.split_once(';').unwrap_or((content, ""));
    let target = target.trim();
    let target = match target.get(..4) {
        Some(url) if url.eq_ignore_ascii_case("url=") => &target[4..],
        _ => target,
    };
    Some((
        seconds.trim().parse().ok()?,
        target.trim_matches(['"', '\'']).to_owned(),
    ))
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = rest
            .find(';')
            .filter(|end| *end < 12)
            .map(|end| &rest[1..end]);
        match entity.and_then(|entity| Some((entity, character(entity)?))) {
            Some((entity, character)) => {
                plain.push(character);
                rest = &rest[entity.len() + 2..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn character(entity: &str) -> Option<char> {
    let number = match entity.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
            None => number.parse(),
        },
        None => {
            return match entity {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                "nbsp" => Some(' '),
                _ => None,
            };
        }
    };
    char::from_u32(number.ok()?)
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_login_page_as_keycloak_writes_it() {
        let page = Page::parse(
            r#"<!DOCTYPE html><html><head><title>Sign in to kubefob</title>
            <script>if (a < b) { "<form>" }</script><!-- <form action="no"> --></head><body>
            <form id="kc-form-login" onsubmit="login.disabled = true; return true;"
                action="https://localhost:1/login?a=1&amp;b=2" method="post" novalidate="novalidate">
            <input id="username" name="username" value="" type="text" autofocus>
            <input name="password" value='' type="password"/>
            <input type="hidden" id="id-hidden-input" name="credentialId" />
            <input name="rememberMe" type="checkbox"><button name="login" type="submit">Sign&#32;In
            </button></form>&copy; 3 &lt; 4</body></html>"#,
        );
        assert_eq!(page.title, "Sign in to kubefob");
        assert_eq!(page.text, "Sign In &copy; 3 < 4");
        let [form] = page.forms.as_slice() else {
            panic!("{page:?}")
        };
        assert_eq!(form.action, "https://localhost:1/login?a=1&b=2");
        assert!(form.post);
        let kept: Vec<_> = form.kept().into_iter().map(|(name, _)| name).collect();
        assert_eq!(kept, ["username", "password", "credentialId"]);
        assert_eq!(
            form.buttons().next().map(|button| button.name.as_str()),
            Some("login")
        );
    }

    #[test]
    fn a_question_with_buttons_and_ticks() {
        let page = Page::parse(
            "<form method=POST action=/answer><input type=hidden name=ticket value=t1>\
             <input type=checkbox name=server value=https://a checked>\
             <input type=checkbox name=server value=https://b>\
             <button name=answer value=once>Once</button><button name=answer value=no>No</button>",
        );
        let form = &page.forms[0];
        let kept = [("ticket", "t1"), ("server", "https://a")].map(|(n, v)| (n.into(), v.into()));
        assert_eq!(form.kept(), kept);
        let answers: Vec<_> = form.buttons().map(|button| button.value.as_str()).collect();
        assert_eq!(answers, ["once", "no"]);
    }

    #[test]
    fn a_refresh() {
        let page = Page::parse(r#"<meta http-equiv="Refresh" content="1; url='/done?a=1&amp;b'">"#);
        assert_eq!(page.refresh, Some((1, "/done?a=1&b".to_owned())));
        assert_eq!(Page::parse("<p>half <b").text, "half");
    }
}
