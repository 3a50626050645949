//! As much of Kubernetes' protobuf as kubectl's reviews need: it sends them so, and takes JSON back.

use serde_json::{Value, json};

/// A SelfSubjectAccessReview as the JSON that it stands for. Field numbers are those of
/// `k8s.io/apimachinery/pkg/runtime/generated.proto` and `k8s.io/api/authorization/v1/generated.proto`.
pub(super) fn access_review(body: &[u8]) -> Option<Value> {
    let envelope = body.strip_prefix(b"k8s\0")?;
    let review = field(envelope, 2)?;
    let spec = field(review, 2)?;
    let named = |message: &[u8], names: &[(u64, &str)]| -> Value {
        let text =
            |number| String::from_utf8_lossy(field(message, number).unwrap_or(b"")).into_owned();
        names
            .iter()
            .map(|&(number, name)| (name.to_owned(), json!(text(number))))
            .collect()
    };
    let resource = [
        (1, "namespace"),
        (2, "verb"),
        (3, "group"),
        (5, "resource"),
        (7, "name"),
    ];
    let spec = match field(spec, 1) {
        Some(about) => json!({ "resourceAttributes": named(about, &resource) }),
        None => {
            let about = named(field(spec, 2)?, &[(1, "path"), (2, "verb")]);
            json!({ "nonResourceAttributes": about })
        }
    };
    Some(json!({ "spec": spec }))
}

/// The last field of this number that has a length.
fn field(mut message: &[u8], wanted: u64) -> Option<&[u8]> {
    let mut found = None;
    while !message.is_empty() {
        let key = number(&mut message)?;
        match key & 7 {
            0 => {
                number(&mut message)?;
            }
            1 => message = message.get(8..)?,
            2 => {
                let length = usize::try_from(number(&mut message)?).ok()?;
                let (value, rest) = message.split_at_checked(length)?;
                if key >> 3 == wanted {
                    found = Some(value);
                }
                message = rest;
            }
            5 => message = message.get(4..)?,
            _ => return None,
        }
    }
    found
}

fn number(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[number << 3 | 2, length], content].concat()
    }

    #[test]
    fn an_access_review() {
        let about = [message(2, b"list"), message(5, b"pods")].concat();
        let review = message(2, &message(1, &about));
        let body = [b"k8s\0".to_vec(), message(1, b"x"), message(2, &review)].concat();
        let read = access_review(&body).unwrap();
        assert_eq!(read["spec"]["resourceAttributes"]["resource"], "pods");
        assert_eq!(read["spec"]["resourceAttributes"]["verb"], "list");
    }

    #[test]
    fn cut_off() {
        for bad in [
            &b"k8s\0"[..],
            b"k8s\0\x12\xff",
            b"k8s\0\xff\xff\xff",
            b"{}",
            b"k8s\0\x07",
        ] {
            assert!(access_review(bad).is_none());
        }
    }
}
