//! What a window sends (`broker::command::Command`): what is taken says each thing once, and nothing beside it, so that
//! written anew it is the same, word for word.

use broker::command::Command;
use serde_json::Value;

use crate::{Decoded, whole};

pub(crate) fn run(input: &[u8]) -> Decoded {
    let Ok(command) = serde_json::from_slice::<Command>(input) else {
        return Decoded::Refused;
    };
    let again = serde_json::to_vec(&command).expect("a command is JSON");
    assert_eq!(
        serde_json::from_slice::<Command>(&again).ok(),
        Some(command)
    );
    // A list of the same values is taken too, and has no names.
    if let (Some(Value::Object(said)), Some(Value::Object(again))) = (whole(input), whole(&again)) {
        for (name, value) in &said {
            assert_eq!(again.get(name), Some(value), "{name} was passed over");
        }
    }
    Decoded::Taken
}
