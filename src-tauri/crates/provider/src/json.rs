//! What a provider sends that is not what it should be, said without quoting it.

/// A JSON error without the content that it may quote.
pub(crate) fn where_not_what(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Io | Category::Eof => "it is cut off".into(),
        Category::Syntax => format!("it is not JSON (line {})", error.line()),
        Category::Data => format!("a field has a wrong type (line {})", error.line()),
    }
}
