//! What faults change in a reply: discovery, tokens, the redirect back.

use anyhow::Context as _;
use axum::http::{HeaderValue, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Value, json};
use url::Url;

use crate::fault::{Endpoint, Fault, Stage};
use crate::misbehave::Reply;
use crate::provider::{Provider, at_hash, jwt};

/// In place of the right state, audience, nonce and so on.
const SOMEBODY_ELSE: &str = "somebody-else";

/// Lets the faults that are armed for `endpoint` change `reply`.
pub(crate) fn rewrite(provider: &Provider, endpoint: Endpoint, reply: &mut Reply) {
    let mut skew = 0;
    let mut content = Content::read(endpoint, reply);
    provider.faults.strike(Stage::Rewrite, endpoint, |fault| {
        if let Fault::SkewedClock { seconds } = fault {
            skew += seconds;
        }
        content.change(provider, fault) || matches!(fault, Fault::SkewedClock { .. })
    });
    reply.date += skew;
    if let Err(error) = content.write(provider, reply) {
        tracing::error!(%error, "a fault did not take effect");
    }
}

/// What a reply says, as far as faults know it.
enum Content {
    Discovery(Value),
    Keys(Value),
    Tokens(Box<Tokens>),
    /// A redirect back to the client.
    Callback(Url),
    Other,
}

impl Content {
    fn read(endpoint: Endpoint, reply: &Reply) -> Self {
        let json = || serde_json::from_slice::<Value>(&reply.body).ok();
        let location = || {
            reply
                .headers
                .get(header::LOCATION)?
                .to_str()
                .ok()?
                .parse()
                .ok()
        };
        let read = match endpoint {
            Endpoint::Discovery => json().filter(Value::is_object).map(Self::Discovery),
            Endpoint::Jwks => json().filter(Value::is_object).map(Self::Keys),
            Endpoint::Authorize | Endpoint::Login if reply.status == StatusCode::FOUND => {
                location().map(Self::Callback)
            }
            Endpoint::Token | Endpoint::Refresh if reply.status == StatusCode::OK => json()
                .and_then(Tokens::read)
                .map(|tokens| Self::Tokens(Box::new(tokens))),
            Endpoint::Token
            | Endpoint::Refresh
            | Endpoint::Authorize
            | Endpoint::Login
            | Endpoint::Revoke
            | Endpoint::EndSession
            | Endpoint::Kubernetes => None,
        };
        read.unwrap_or(Self::Other)
    }

    /// Whether `fault` found something to change.
    fn change(&mut self, provider: &Provider, fault: &Fault) -> bool {
        match self {
            Self::Discovery(document) => change_discovery(document, fault),
            Self::Keys(document) => change_keys(document, provider, fault),
            Self::Tokens(tokens) => tokens.change(fault),
            Self::Callback(url) => change_callback(url, fault),
            Self::Other => false,
        }
    }

    fn write(self, provider: &Provider, reply: &mut Reply) -> anyhow::Result<()> {
        match self {
            Self::Discovery(document) | Self::Keys(document) => {
                reply.body = document.to_string().into();
            }
            Self::Tokens(tokens) => reply.body = tokens.write(provider)?.to_string().into(),
            Self::Callback(url) => {
                let url = HeaderValue::from_str(url.as_str())?;
                reply.headers.insert(header::LOCATION, url);
            }
            Self::Other => {}
        }
        Ok(())
    }
}

fn change_discovery(document: &mut Value, fault: &Fault) -> bool {
    if let Fault::WrongIssuer { issuer } = fault {
        set(document, "issuer", issuer.as_deref());
    } else if let Fault::EndpointUrl { name, url } = fault {
        set(document, name, Some(url));
    } else if *fault == Fault::NoPkce {
        set(document, "code_challenge_methods_supported", None);
    } else {
        return false;
    }
    true
}

fn change_keys(document: &mut Value, provider: &Provider, fault: &Fault) -> bool {
    let Ok(own) = provider.keys.active() else {
        return false;
    };
    let Some(keys) = document["keys"].as_array_mut() else {
        return false;
    };
    if *fault == Fault::KeyAsSecret {
        let mut secret = json!({ "kty": "oct", "use": "sig", "kid": own.jwk()["kid"] });
        secret["k"] = json!(URL_SAFE_NO_PAD.encode(own.public_as_secret()));
        keys.push(secret);
        for key in keys {
            key["alg"] = json!("HS256");
        }
    } else if *fault == Fault::DuplicateKid {
        let Ok(other) = provider.keys.make() else {
            return false;
        };
        let mut other = other.jwk();
        other["kid"] = own.jwk()["kid"].clone();
        keys.insert(0, other);
    } else if let Fault::ManyKeys { count, rsa } = fault {
        let others = (0..*count).map(|number| {
            let (kty, field, length) = if *rsa {
                ("RSA", "n", 342)
            } else {
                ("OKP", "x", 43)
            };
            // Whatever has the length of a key is one, as far as anybody looks.
            let mut key = json!({ "kty": kty, "kid": format!("{number:05}") });
            key[field] = json!(format!("{number:05}{}", "k".repeat(length - 5)));
            if *rsa {
                key["e"] = json!("AQAB");
            } else {
                key["crv"] = json!("Ed25519");
            }
            key
        });
        let own = std::mem::take(keys);
        keys.extend(others.chain(own));
    } else {
        return false;
    }
    true
}

fn change_callback(url: &mut Url, fault: &Fault) -> bool {
    let mut set = |names: &[&str], new: &[(&str, &str)]| {
        let kept: Vec<_> = url
            .query_pairs()
            .filter(|(name, _)| !names.contains(&name.as_ref()))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(kept)
            .extend_pairs(new);
    };
    if let Fault::WrongIssuer { issuer } = fault {
        set(&["iss"], &[]);
        if let Some(issuer) = issuer {
            set(&[], &[("iss", issuer)]);
        }
    } else if *fault == Fault::WrongState {
        set(&["state"], &[("state", SOMEBODY_ELSE)]);
    } else if let Fault::CallbackError { error, description } = fault {
        set(&["code", "session_state"], &[("error", error)]);
        if let Some(description) = description {
            set(&[], &[("error_description", description)]);
        }
    } else {
        return false;
    }
    true
}

/// A token reply, its tokens taken apart.
struct Tokens {
    reply: Value,
    access: Value,
    id: Option<Value>,
    /// Whether the claims were changed, so that they must be signed again.
    changed: bool,
    signing: Signing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Signing {
    Honest,
    Rogue,
    Embedded,
    None,
    Hs256,
}

impl Tokens {
    fn read(reply: Value) -> Option<Self> {
        let claims = |name: &str| Some(jwt::parts(reply.get(name)?.as_str()?).ok()?.claims);
        let (access, id) = (claims("access_token")?, claims("id_token"));
        Some(Self {
            reply,
            access,
            id,
            changed: false,
            signing: Signing::Honest,
        })
    }

    fn change(&mut self, fault: &Fault) -> bool {
        if *fault == Fault::NoIdToken {
            self.id = None;
            return remove(&mut self.reply, "id_token");
        }
        if *fault == Fault::NoRefreshToken {
            return remove(&mut self.reply, "refresh_token");
        }
        if let Fault::ExpiresIn { value } = fault {
            self.reply["expires_in"] = value.clone();
            return true;
        }
        if let Some(signing) = Signing::told_by(fault) {
            self.signing = signing;
            return true;
        }
        let changed = if let Fault::SkewedClock { seconds } = fault {
            shift(&mut self.access, *seconds);
            self.id.iter_mut().for_each(|id| shift(id, *seconds));
            true
        } else {
            self.id.as_mut().is_some_and(|id| change_claims(id, fault))
        };
        self.changed |= changed;
        changed
    }

    fn write(mut self, provider: &Provider) -> anyhow::Result<Value> {
        if self.changed || self.signing != Signing::Honest {
            let access_token = self.signing.sign(provider, &self.access)?;
            if let Some(id) = &mut self.id {
                id["at_hash"] = json!(at_hash(provider.config.algorithm, &access_token));
                self.reply["id_token"] = json!(self.signing.sign(provider, id)?);
            }
            self.reply["access_token"] = json!(access_token);
        }
        Ok(self.reply)
    }
}

fn change_claims(id: &mut Value, fault: &Fault) -> bool {
    if let Fault::WrongIssuer { issuer } = fault {
        set(id, "iss", issuer.as_deref());
    } else if let Fault::ManyGroups { bytes } = fault {
        // Base64 makes four characters of three; the rest of the token is about 1 kB.
        let groups = bytes.saturating_sub(1000) * 3 / 4 / 28;
        let more = (0..groups).map(|number| json!(format!("kubernetes:team-{number:09}")));
        if let Some(groups) = id["groups"].as_array_mut() {
            groups.extend(more);
        }
    } else if *fault == Fault::WrongAudience {
        set(id, "aud", Some(SOMEBODY_ELSE));
    } else if *fault == Fault::WrongNonce {
        set(id, "nonce", Some(SOMEBODY_ELSE));
    } else if *fault == Fault::WrongSubject {
        set(id, "sub", Some(SOMEBODY_ELSE));
    } else if *fault == Fault::ForeignAzp {
        id["aud"] = json!([id["azp"], SOMEBODY_ELSE]);
        set(id, "azp", Some(SOMEBODY_ELSE));
    } else {
        return false;
    }
    true
}

fn shift(claims: &mut Value, seconds: i64) {
    for name in ["exp", "iat", "auth_time"] {
        if let Some(time) = claims[name].as_i64() {
            claims[name] = json!(time.saturating_add(seconds));
        }
    }
}

impl Signing {
    fn told_by(fault: &Fault) -> Option<Self> {
        [
            (Fault::WrongSignature, Self::Rogue),
            (Fault::EmbeddedKey, Self::Embedded),
            (Fault::AlgNone, Self::None),
            (Fault::Hs256, Self::Hs256),
            (Fault::KeyAsSecret, Self::Hs256),
        ]
        .into_iter()
        .find_map(|(its, signing)| (its == *fault).then_some(signing))
    }

    fn sign(self, provider: &Provider, claims: &Value) -> anyhow::Result<String> {
        let key = provider.keys.active()?;
        let mut header = key.header();
        match self {
            Self::Honest => provider.keys.sign(claims),
            Self::Rogue => {
                let rogue = provider.keys.make()?;
                jwt::join(&header, claims, |message| rogue.sign(message))
            }
            Self::Embedded => {
                let rogue = provider.keys.make()?;
                header = rogue.header();
                let url = format!("{}/rogue-keys", provider.issuer);
                header["jwk"] = rogue.jwk();
                header["jku"] = json!(url);
                header["x5u"] = json!(url);
                jwt::join(&header, claims, |message| rogue.sign(message))
            }
            Self::None => {
                header["alg"] = json!("none");
                jwt::join(&header, claims, |_| Ok(Vec::new()))
            }
            Self::Hs256 => {
                header["alg"] = json!("HS256");
                let secret = hmac::Key::new(hmac::HMAC_SHA256, &key.public_as_secret());
                jwt::join(&header, claims, |message| {
                    Ok(hmac::sign(&secret, message).as_ref().to_vec())
                })
            }
        }
        .context("signing")
    }
}

/// Sets a text, or takes the field away.
fn set(object: &mut Value, name: &str, value: Option<&str>) {
    match value {
        Some(value) => object[name] = json!(value),
        None => {
            remove(object, name);
        }
    }
}

fn remove(object: &mut Value, name: &str) -> bool {
    object
        .as_object_mut()
        .and_then(|object| object.shift_remove(name))
        .is_some()
}
