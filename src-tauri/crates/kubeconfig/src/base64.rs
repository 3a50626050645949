//! Base64 as Go's `encoding/json` reads `[]byte` (`base64.StdEncoding`): line breaks inside are skipped, the padding
//! is mandatory, and spare bits in the last letter are not looked at.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

const GO: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let joined: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    GO.decode(joined).ok()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    GO.encode(bytes)
}
