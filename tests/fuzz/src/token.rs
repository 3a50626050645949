//! Replies of the token endpoint (`provider::token`): what is taken is what stands there, and what
//! is refused is not quoted.
//!
//! Input: a byte that chooses the status, and the body.

use broker::secret::RefreshToken;
use provider::fuzzing;

use crate::{Decoded, whole};

pub(crate) fn run(input: &[u8]) -> Decoded {
    let Some((&status, body)) = input.split_first() else {
        return Decoded::Refused;
    };
    if status == 200 {
        return granted(body);
    }
    // The provider's own words, as far as they are short.
    let words = fuzzing::token_refusal(400 + u16::from(status), body);
    assert!(!words.is_empty() && words.chars().count() <= 300, "{words}");
    Decoded::Refused
}

fn granted(body: &[u8]) -> Decoded {
    let granted = match fuzzing::token_reply(body) {
        Ok(granted) => granted,
        Err(reason) => {
            // A place at most, and no content: a token may stand there.
            let (known, line) = reason.split_once(" (line ").unwrap_or((&reason, "1)"));
            let reasons = [
                "it is cut off",
                "it is not JSON",
                "a field has a wrong type",
                "there are no tokens in it",
            ];
            assert!(reasons.contains(&known), "{reason}");
            assert!(
                line.trim_end_matches(')').parse::<usize>().is_ok(),
                "{reason}"
            );
            return Decoded::Refused;
        }
    };
    assert!(granted.refresh_expires_in != Some(0));
    let Some(reply) = whole(body) else {
        return Decoded::Taken;
    };
    let text = |name: &str| reply[name].as_str().filter(|text| !text.is_empty());
    assert_eq!(granted.id_token.as_deref(), text("id_token"));
    let refresh = text("refresh_token").map(|text| RefreshToken::new(text.to_owned()));
    assert_eq!(granted.refresh, refresh);
    assert!(reply["id_token"].is_string() || !reply["access_token"].is_null());
    Decoded::Taken
}
