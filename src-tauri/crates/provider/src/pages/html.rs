//! HTML that can't be built from unescaped text: the type proves it.

use broker::texts::clean;

/// A piece of a document.
#[derive(Clone, Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup of our own.
    pub(super) fn markup(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// Text from anywhere.
    pub(super) fn text(text: &str) -> Self {
        Self(escaped(text))
    }

    /// A start tag, its attributes' values from anywhere.
    pub(super) fn start(name: &'static str, attributes: &[(&'static str, &str)]) -> Self {
        let attributes: String = attributes
            .iter()
            .map(|(name, value)| format!(" {name}=\"{}\"", escaped(value)))
            .collect();
        Self(format!("<{name}{attributes}>"))
    }

    /// An element with something in it.
    pub(super) fn element(
        name: &'static str,
        attributes: &[(&'static str, &str)],
        inner: Self,
    ) -> Self {
        Self(format!(
            "{}{}</{name}>",
            Self::start(name, attributes).0,
            inner.0
        ))
    }

    /// This, and then the other.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Control characters and turned writing are made visible, markup is made text.
fn escaped(text: &str) -> String {
    clean(text)
        .chars()
        .fold(String::with_capacity(text.len()), |mut escaped, one| {
            match one {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                other => escaped.push(other),
            }
            escaped
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let hostile = "\"><script>alert('x')</script>&\u{1b}\u{202e}";
        let html = Html::element("a", &[("href", hostile)], Html::text(hostile)).into_string();
        let inert =
            "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\u{fffd}\u{fffd}";
        assert_eq!(html, format!("<a href=\"{inert}\">{inert}</a>"));
    }
}
