//! What an ID token must hold before anybody is given it (OIDC Core sections 3.1.3.7 and 12.2).
//! Pure: no clock, no network.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use broker::clock::Wall;
use broker::tokens::Identity;
use serde::Deserialize;
use serde_json::Value;

use crate::http::Times;
use crate::keys::{Algorithm, Keys};

const LONGEST: usize = 64 * 1024;
/// A token that lives longer is a mistake or an attack: it could not be taken back.
const LONGEST_LIFE: i64 = 366 * 24 * 3600;
/// By how much a provider's own machines may differ among each other, in seconds.
const LEEWAY: i64 = 15 * 60;
/// From which age on a token counts as made before it was asked for, in seconds.
const OLD: i64 = 60;
/// What HTTP's `Date`, in whole seconds, can't tell from no difference at all, in milliseconds.
const RESOLUTION: i64 = 1500;

/// What a token must say.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The issuer, byte for byte.
    pub issuer: &'a str,
    /// The client that it was asked for by.
    pub client_id: &'a str,
    /// The nonce of the sign-in; none at a refresh.
    pub nonce: Option<&'a str>,
    /// Whose token it must be; none at a sign-in, where the session decides.
    pub subject: Option<&'a str>,
}

/// A token that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Whose it is.
    pub identity: Identity,
    /// When it ends, by our clock.
    pub expires: Wall,
    /// The provider's clock less ours, in milliseconds.
    pub skew_ms: i64,
}

/// Why a token does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No key that we have made its signature: the provider may have new ones.
    Signature,
    /// A time that does not fit, and by how many seconds: a clock is off.
    Time(&'static str, i64),
    /// Anything else, which no new key mends.
    Content(&'static str),
}

impl Flaw {
    /// In words.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Signature => "no key of the provider's made its signature".into(),
            Self::Time(reason, seconds) => {
                format!(
                    "{reason}, by {}: a clock is off",
                    span(seconds.unsigned_abs())
                )
            }
            Self::Content(reason) => (*reason).into(),
        }
    }
}

/// Checks an ID token that came from the token endpoint at `times`.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn id_token(
    token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
    times: Times,
) -> Result<Checked, Flaw> {
    if token.len() > LONGEST {
        return Err(Flaw::Content("it is longer than 64 KB"));
    }
    let claims = signed_claims(token, keys)?;
    let audience = claims.aud.as_ref().map(Audience::list).unwrap_or_default();
    check(
        claims.iss.as_deref() == Some(expected.issuer),
        "it names another issuer",
    )?;
    check(
        audience.contains(&expected.client_id),
        "it is for another client (aud)",
    )?;
    check(
        claims
            .azp
            .as_deref()
            .is_none_or(|party| party == expected.client_id),
        "it was issued to another client (azp)",
    )?;
    if let Some(nonce) = expected.nonce {
        check(
            claims
                .nonce
                .as_deref()
                .is_some_and(|found| same(found, nonce)),
            "it belongs to another sign-in (nonce)",
        )?;
    }
    let subject = claims.sub.clone().filter(|subject| !subject.is_empty());
    let subject = subject.ok_or(Flaw::Content("it names nobody (sub)"))?;
    check(
        expected.subject.is_none_or(|before| before == subject),
        "it is somebody else's than the one before (sub)",
    )?;
    let (expires, skew_ms) = life(&claims, times)?;
    Ok(Checked {
        identity: claims.identity(subject),
        expires,
        skew_ms,
    })
}

/// Whether two words are the same, in a time that does not tell where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn signed_claims(token: &str, keys: &Keys) -> Result<Claims, Flaw> {
    const FORM: Flaw = Flaw::Content("it is no signed token");
    let (message, signature) = token.rsplit_once('.').ok_or(FORM)?;
    let (header, payload) = message.split_once('.').ok_or(FORM)?;
    let header: Header = decode(header).ok_or(FORM)?;
    // Keys that a header brings along or points to (jwk, jku, x5c, x5u) are not even read.
    check(header.crit.is_none(), "it has rules of its own (crit)")?;
    let algorithm = Algorithm::named(&header.alg)
        .ok_or(Flaw::Content("its signature algorithm is not accepted"))?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| FORM)?;
    if !keys.verify(
        algorithm,
        header.kid.as_deref(),
        message.as_bytes(),
        &signature,
    ) {
        return Err(Flaw::Signature);
    }
    decode(payload).ok_or(Flaw::Content("its claims can't be read"))
}

/// When a token ends by our clock, and how far the provider's clock is ahead of it. Its times are
/// held against the provider's own clock, which the reply's `Date` shows: ours may be off.
fn life(claims: &Claims, times: Times) -> Result<(Wall, i64), Flaw> {
    let ends = claims
        .exp
        .as_ref()
        .and_then(seconds)
        .ok_or(Flaw::Content("it never ends (exp)"))?;
    // It is required (OpenID Connect Core 1.0, section 2).
    let issued = claims
        .iat
        .as_ref()
        .ok_or(Flaw::Content("it does not say when it was issued (iat)"))?;
    let issued = seconds(issued).ok_or(Flaw::Content("its iat is no time"))?;
    let theirs = times.date.unwrap_or(issued);
    not_after(
        issued,
        theirs.saturating_add(LEEWAY),
        "it was issued in the future (iat)",
    )?;
    if let Some(begins) = &claims.nbf {
        let begins = seconds(begins).ok_or(Flaw::Content("its nbf is no time"))?;
        not_after(
            begins,
            theirs.saturating_add(LEEWAY),
            "it is not valid yet (nbf)",
        )?;
    }
    not_after(theirs.saturating_add(1), ends, "it has run out (exp)")?;
    check(ends > issued, "it ends before it was issued (exp)")?;
    let life = ends.saturating_sub(issued);
    check(life <= LONGEST_LIFE, "it lives longer than a year (exp)")?;
    // A provider may hand out a token that it made a while ago.
    let age = theirs.saturating_sub(issued);
    let left = if age > OLD {
        ends.saturating_sub(theirs)
    } else {
        life
    };
    let left = Duration::from_secs(u64::try_from(left).unwrap_or_default());
    let half_way = times.sent.0.midpoint(times.came.0);
    let skew = theirs
        .saturating_mul(1000)
        .saturating_add(500)
        .saturating_sub(half_way);
    let skew = if skew.saturating_abs() <= RESOLUTION {
        0
    } else {
        skew
    };
    Ok((times.sent.after(left), skew))
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Only what we look at: a claim of an odd type that we don't need does no harm.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    azp: Option<String>,
    nonce: Option<String>,
    exp: Option<Value>,
    iat: Option<Value>,
    nbf: Option<Value>,
    preferred_username: Option<Value>,
    email: Option<Value>,
    name: Option<Value>,
    groups: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn list(&self) -> Vec<&str> {
        match self {
            Self::One(one) => vec![one],
            Self::Several(several) => several.iter().map(String::as_str).collect(),
        }
    }
}

impl Claims {
    fn identity(&self, subject: String) -> Identity {
        let name = [&self.preferred_username, &self.email, &self.name]
            .into_iter()
            .filter_map(|name| name.as_ref()?.as_str())
            .find(|name| !name.trim().is_empty())
            .unwrap_or(&subject)
            .to_owned();
        let groups = match &self.groups {
            Some(Value::String(group)) => vec![group.clone()],
            Some(Value::Array(groups)) => groups
                .iter()
                .filter_map(|group| group.as_str().map(str::to_owned))
                .collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
                Vec::new()
            }
        };
        Identity {
            subject,
            name,
            groups,
        }
    }
}

/// A JSON time in seconds; fractions are dropped.
fn seconds(value: &Value) -> Option<i64> {
    let number = value.as_i64().or_else(|| {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "bounds are checked beside it"
        )]
        value
            .as_f64()
            .filter(|number| number.abs() < 1e15)
            .map(|number| number as i64)
    })?;
    (0..=253_402_300_799).contains(&number).then_some(number)
}

fn not_after(one: i64, other: i64, otherwise: &'static str) -> Result<(), Flaw> {
    match one.saturating_sub(other) {
        late @ 1.. => Err(Flaw::Time(otherwise, late)),
        _ => Ok(()),
    }
}

/// A time in the unit in which a person would say it.
pub(crate) fn span(seconds: u64) -> String {
    let units = [(86_400, "days"), (3600, "hours"), (60, "minutes")];
    let unit = units.iter().find(|(long, _)| seconds >= 2 * long);
    match unit {
        Some((long, name)) => format!("{} {name}", seconds / long),
        None => format!("{seconds} s"),
    }
}

fn check(holds: bool, otherwise: &'static str) -> Result<(), Flaw> {
    if holds {
        Ok(())
    } else {
        Err(Flaw::Content(otherwise))
    }
}

fn decode<T: for<'de> Deserialize<'de>>(segment: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()
}

#[cfg(test)]
mod tests;
