//! What a scalar of YAML 1.1 is, as the YAML library inside kubectl sees it (go.yaml.in/yaml/v2 `resolve.go`).
//!
//! It matters because kubectl turns YAML into JSON before it looks for types: an unquoted `name: no` is a boolean
//! by then, and a boolean where a text is wanted fails the whole file.

/// A scalar's type and, as far as this crate needs it, its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    /// A number that JSON can say. The value is there where it is a small whole one.
    Number(Option<u8>),
    /// `.inf` and `.nan`: YAML has them, JSON has not.
    NotJson,
    Text(String),
}

/// A scalar's explicit tag denies what the scalar is (`!!int abc`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadTag;

/// The tags that mean something, by their short names; any other makes a text of whatever it stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    None,
    Str,
    Bool,
    Int,
    Float,
    Null,
    Timestamp,
    Binary,
    Other,
}

/// The type of a scalar (`resolve`). `plain` says that it stood without quotes.
pub(crate) fn resolve(text: String, tag: Tag, plain: bool) -> Result<Scalar, BadTag> {
    match tag {
        Tag::None if !plain => Ok(Scalar::Text(text)),
        Tag::None => Ok(untagged(&text).unwrap_or(Scalar::Text(text))),
        Tag::Str | Tag::Other => Ok(Scalar::Text(text)),
        Tag::Binary => binary(&text),
        Tag::Timestamp if looks_like_date(&text) => Ok(Scalar::Text(text)),
        Tag::Timestamp => Err(BadTag),
        Tag::Bool => match untagged(&text) {
            Some(found @ Scalar::Bool(_)) => Ok(found),
            Some(Scalar::Null | Scalar::Number(_) | Scalar::NotJson | Scalar::Text(_)) | None => {
                Err(BadTag)
            }
        },
        Tag::Null => match untagged(&text) {
            Some(found @ Scalar::Null) => Ok(found),
            Some(Scalar::Bool(_) | Scalar::Number(_) | Scalar::NotJson | Scalar::Text(_))
            | None => Err(BadTag),
        },
        Tag::Int => match untagged(&text) {
            Some(found @ Scalar::Number(_)) if integer(&without_underscores(&text)).is_some() => {
                Ok(found)
            }
            Some(_) | None => Err(BadTag),
        },
        Tag::Float => match untagged(&text) {
            Some(found @ (Scalar::Number(_) | Scalar::NotJson)) => Ok(found),
            Some(Scalar::Null | Scalar::Bool(_) | Scalar::Text(_)) | None => Err(BadTag),
        },
    }
}

/// What an unquoted scalar without a tag is, where it is not a text.
fn untagged(text: &str) -> Option<Scalar> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Scalar::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Some(Scalar::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Some(Scalar::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
        | "-.inf" | "-.Inf" | "-.INF" => return Some(Scalar::NotJson),
        _ => {}
    }
    match text.as_bytes().first()? {
        b'.' => is_float(text).then_some(Scalar::Number(None)),
        b'0'..=b'9' | b'+' | b'-' => number(text),
        _ => None,
    }
}

/// Dates need no case of their own: nothing that begins with four digits and a dash is a number.
fn number(text: &str) -> Option<Scalar> {
    let digits = without_underscores(text);
    if let Some(value) = integer(&digits) {
        return Some(Scalar::Number(u8::try_from(value).ok()));
    }
    is_float(&digits).then_some(Scalar::Number(None))
}

fn without_underscores(text: &str) -> String {
    text.replace('_', "")
}

/// Go's `strconv.ParseInt(_, 0, 64)` or `ParseUint`, then YAML's own `0b`.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if let Some(size) = unsigned(digits) {
        let value = if negative {
            -i128::from(size)
        } else {
            i128::from(size)
        };
        let signed = text.starts_with(['-', '+']);
        let fits = value >= i128::from(i64::MIN) && (!signed || value <= i128::from(i64::MAX));
        return fits.then_some(value);
    }
    let rest = text.strip_prefix("0b")?;
    i64::from_str_radix(rest, 2).ok().map(i128::from)
}

fn unsigned(digits: &str) -> Option<u64> {
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// `yamlStyleFloat`, and no larger than a float can be: what overflows is a text to kubectl.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, part) = match mantissa.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (mantissa, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_is_one = digits(whole)
        && part.is_none_or(digits)
        && !(whole.is_empty() && part.is_none_or(str::is_empty));
    let exponent_is_one = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_is_one && exponent_is_one && unsigned.parse::<f64>().is_ok_and(f64::is_finite)
}

fn looks_like_date(text: &str) -> bool {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    year == 4 && text.as_bytes().get(4) == Some(&b'-')
}

/// `!!binary` is decoded, and what is no UTF-8 is replaced when it becomes JSON.
fn binary(text: &str) -> Result<Scalar, BadTag> {
    let bytes = crate::base64::decode(text).ok_or(BadTag)?;
    Ok(Scalar::Text(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The letters: n(ull), b(ool), 1 (number), j (not JSON), t(ext).
    fn letter(text: &str) -> char {
        match resolve(text.to_owned(), Tag::None, true).unwrap() {
            Scalar::Null => 'n',
            Scalar::Bool(_) => 'b',
            Scalar::Number(_) => '1',
            Scalar::NotJson => 'j',
            Scalar::Text(_) => 't',
        }
    }

    #[test]
    fn unquoted_scalars_have_the_type_that_yaml_1_1_gives_them() {
        let table = [
            ('n', "~ null Null NULL"),
            ('t', "nUll NuLL nil none"),
            (
                'b',
                "y Y n N yes Yes YES no No NO on On ON off Off OFF true True TRUE false False FALSE",
            ),
            ('t', "yEs nO oN tRUE t f F T"),
            (
                '1',
                "0 -0 1 +1 -1 0777 0789 0o17 0O17 0x1F 0XfF -0x1 0b101 0B1 1_000 1__0 1_ 0_x1 0b+1",
            ),
            (
                't',
                "_1 0x 0o 0o8 0xg 0b2 - + -- 1- 1:20 0.0.0 1.2.3 10.0.0.1 0x1.8p1",
            ),
            (
                '1',
                "1.5 1. .5 -.5 +.5 1e3 1E-3 1.5e+3 .5e3 18446744073709551615 18446744073709551616 -9223372036854775809",
            ),
            (
                't',
                "1e 1e+ . .e3 ._5 .5_5 e3 1e999 .5e999 1e3.0 .Infinity inf nan NaN",
            ),
            ('j', ".inf .Inf .INF +.inf -.INF .nan .NaN .NAN"),
            (
                't',
                ".iNf -.nan 2020-01-01 2020-1-1T0:0:0Z 2020-01 = << kubernetes docker-desktop",
            ),
        ];
        for (expected, texts) in table {
            for text in texts.split(' ') {
                assert_eq!(letter(text), expected, "{text}");
            }
        }
        assert_eq!(letter(""), 'n');
    }

    #[test]
    fn quotes_and_tags_overrule() {
        let text = |text: &str| Ok(Scalar::Text(text.to_owned()));
        let table = [
            ("no", Tag::None, false, text("no")),
            ("", Tag::None, false, text("")),
            ("no", Tag::Str, true, text("no")),
            ("~", Tag::Str, true, text("~")),
            ("no", Tag::Other, true, text("no")),
            ("yes", Tag::Bool, false, Ok(Scalar::Bool(true))),
            ("1", Tag::Bool, true, Err(BadTag)),
            ("5", Tag::Int, false, Ok(Scalar::Number(Some(5)))),
            ("5.0", Tag::Int, true, Err(BadTag)),
            ("abc", Tag::Int, true, Err(BadTag)),
            ("5", Tag::Float, true, Ok(Scalar::Number(Some(5)))),
            ("x", Tag::Null, true, Err(BadTag)),
            ("", Tag::Null, false, Ok(Scalar::Null)),
            ("2020-01-01", Tag::Timestamp, true, text("2020-01-01")),
            ("soon", Tag::Timestamp, true, Err(BadTag)),
            ("a3ViZQ==", Tag::Binary, true, text("kube")),
            ("a3ViZQ", Tag::Binary, true, Err(BadTag)),
        ];
        for (input, tag, plain, expected) in table {
            assert_eq!(
                resolve(input.to_owned(), tag, plain),
                expected,
                "{input} {tag:?}"
            );
        }
    }
}
