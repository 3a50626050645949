//! Redirects to the callback (`provider::callback`): what is taken says each thing once, and
//! written anew it says the same.

use provider::callback::{Answer, read};
use url::form_urlencoded::{Serializer, parse};

use crate::Decoded;

pub(crate) fn run(input: &[u8]) -> Decoded {
    // A request line is text before it comes here.
    let Ok(query) = std::str::from_utf8(input) else {
        return Decoded::Refused;
    };
    let Ok(callback) = read(query) else {
        return Decoded::Refused;
    };
    for name in ["state", "iss", "code", "error", "error_description"] {
        let times = parse(input).filter(|(found, _)| found == name).count();
        assert!(times <= 1, "{name} stands there {times} times");
    }
    let mut again = Serializer::new(String::new());
    again.append_pair("state", callback.state.secret());
    if let Some(issuer) = &callback.issuer {
        again.append_pair("iss", issuer);
    }
    match &callback.answer {
        Answer::Code(code) => {
            assert!(!code.is_empty());
            again.append_pair("code", code);
        }
        Answer::Error { error, description } => {
            again.append_pair("error", error);
            again.append_pair("error_description", description);
        }
    }
    assert_eq!(read(&again.finish()).as_ref(), Ok(&callback));

    let issuer = callback.issuer.as_deref().unwrap_or("https://a");
    assert!(callback.is_from(issuer, callback.issuer.is_some()));
    assert!(!callback.is_from(&format!("{issuer}/"), true));
    Decoded::Taken
}
