//! The keys that sign tokens, and what the JWKS says of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::anyhow;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use serde_json::{Value, json};

use super::jwt;
use crate::config::{Algorithm, Config};
use crate::random::random_text;

/// ring makes no RSA keys: these are taken in turn.
const RSA_KEYS: [&[u8]; 4] = [
    include_bytes!("../../keys/rsa-1.der"),
    include_bytes!("../../keys/rsa-2.der"),
    include_bytes!("../../keys/rsa-3.der"),
    include_bytes!("../../keys/rsa-4.der"),
];

/// What stands before an RSA public key of 2048 bits in its SubjectPublicKeyInfo.
const RSA_SPKI: [u8; 24] = [
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
];

/// The keys in the JWKS now. The last one signs.
pub(crate) struct Keys {
    algorithm: Algorithm,
    kid: bool,
    made: AtomicUsize,
    published: Mutex<Vec<Arc<Key>>>,
}

impl Keys {
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let keys = Self {
            algorithm: config.algorithm,
            kid: config.kid,
            made: AtomicUsize::new(0),
            published: Mutex::default(),
        };
        let first = (0..config.keys.max(1))
            .map(|_| keys.make())
            .collect::<Result<_, _>>()?;
        *keys.lock() = first;
        Ok(keys)
    }

    /// Replaces all keys.
    pub(crate) fn rotate(&self) -> anyhow::Result<()> {
        let count = self.lock().len();
        let new = (0..count).map(|_| self.make()).collect::<Result<_, _>>()?;
        *self.lock() = new;
        Ok(())
    }

    /// A key that is in no JWKS.
    pub(crate) fn make(&self) -> anyhow::Result<Arc<Key>> {
        let used: Vec<usize> = self.lock().iter().map(|key| key.made).collect();
        let next = || self.made.fetch_add(1, Ordering::SeqCst) % RSA_KEYS.len();
        // There are only so many, and a rogue's must not be the honest one.
        let made = (0..RSA_KEYS.len())
            .map(|_| next())
            .find(|made| !used.contains(made));
        let made = made.unwrap_or_else(next);
        let kid = self.kid.then(random_text);
        let bytes = RSA_KEYS[made];
        Ok(Arc::new(Key {
            made,
            kid,
            pair: Pair::make(self.algorithm, bytes)?,
        }))
    }

    /// The key that signs.
    pub(crate) fn active(&self) -> anyhow::Result<Arc<Key>> {
        self.lock().last().cloned().ok_or_else(|| anyhow!("no key"))
    }

    /// The JWKS.
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": self.lock().iter().map(|key| key.jwk()).collect::<Vec<_>>() })
    }

    /// Signs `claims` as an honest provider does.
    pub(crate) fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let key = self.active()?;
        jwt::join(&key.header(), claims, |message| key.sign(message))
    }

    /// The claims of a token that one of the keys signed; times and names are unchecked.
    pub(crate) fn verify(&self, token: &str) -> anyhow::Result<Value> {
        let parts = jwt::parts(token)?;
        let algorithm: Algorithm = serde_json::from_value(parts.header["alg"].clone())?;
        anyhow::ensure!(
            algorithm == self.algorithm,
            "signed with unsupported algorithm"
        );
        let kid = parts.header["kid"].as_str();
        let fits =
            |key: &&Arc<Key>| kid.is_none() || key.kid.is_none() || key.kid.as_deref() == kid;
        let keys = self.lock().clone();
        anyhow::ensure!(
            keys.iter()
                .filter(fits)
                .any(|key| key.verify(parts.message, &parts.signature)),
            "failed to verify signature"
        );
        Ok(parts.claims)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Key>>> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key pair and its name.
pub(crate) struct Key {
    /// Which of [`RSA_KEYS`] it is, if it is one.
    made: usize,
    kid: Option<String>,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Pair {
    fn make(algorithm: Algorithm, rsa: &[u8]) -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let ecdsa = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        Ok(match algorithm {
            Algorithm::RS256 => Self::Rsa(RsaKeyPair::from_der(rsa)?),
            Algorithm::ES256 => {
                let document = EcdsaKeyPair::generate_pkcs8(ecdsa, &random)?;
                Self::Ec(EcdsaKeyPair::from_pkcs8(ecdsa, document.as_ref(), &random)?)
            }
            Algorithm::EdDSA => {
                let document = Ed25519KeyPair::generate_pkcs8(&random)?;
                Self::Ed(Ed25519KeyPair::from_pkcs8(document.as_ref())?)
            }
        })
    }
}

impl Key {
    /// The header of a token that it signs.
    pub(crate) fn header(&self) -> Value {
        let algorithm = match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
            Pair::Ed(_) => "EdDSA",
        };
        let mut header = json!({ "alg": algorithm, "typ": "JWT" });
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        header
    }

    pub(crate) fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let random = SystemRandom::new();
        Ok(match &self.pair {
            Pair::Rsa(pair) => {
                let mut bytes = vec![0; pair.public().modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut bytes)?;
                bytes
            }
            Pair::Ec(pair) => pair.sign(&random, message)?.as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        })
    }

    fn verify(&self, message: &str, bytes: &[u8]) -> bool {
        let (algorithm, public): (&dyn signature::VerificationAlgorithm, &[u8]) = match &self.pair {
            Pair::Rsa(pair) => (
                &signature::RSA_PKCS1_2048_8192_SHA256,
                pair.public().as_ref(),
            ),
            Pair::Ec(pair) => (
                &signature::ECDSA_P256_SHA256_FIXED,
                pair.public_key().as_ref(),
            ),
            Pair::Ed(pair) => (&signature::ED25519, pair.public_key().as_ref()),
        };
        signature::UnparsedPublicKey::new(algorithm, public)
            .verify(message.as_bytes(), bytes)
            .is_ok()
    }

    /// The public key as the JWKS has it.
    pub(crate) fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public: PublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({ "kty": "RSA", "alg": "RS256", "n": encode(&public.n), "e": encode(&public.e) })
            }
            Pair::Ec(pair) => {
                // An uncompressed point: 4, x, y.
                let point = pair.public_key().as_ref();
                let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
                json!({ "kty": "EC", "alg": "ES256", "crv": "P-256", "x": x, "y": y })
            }
            Pair::Ed(pair) => {
                let x = encode(pair.public_key().as_ref());
                json!({ "kty": "OKP", "alg": "EdDSA", "crv": "Ed25519", "x": x })
            }
        };
        jwk["use"] = json!("sig");
        if let Some(kid) = &self.kid {
            jwk["kid"] = json!(kid);
        }
        jwk
    }

    /// The public key as an attacker of HS256 takes it for a secret: PEM for RSA, else its bytes.
    pub(crate) fn public_as_secret(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoded = STANDARD.encode([&RSA_SPKI, pair.public().as_ref()].concat());
                let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
                for line in encoded.as_bytes().chunks(64) {
                    pem.extend(line.iter().map(|&byte| char::from(byte)));
                    pem.push('\n');
                }
                pem.push_str("-----END PUBLIC KEY-----\n");
                pem.into_bytes()
            }
            Pair::Ec(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ed(pair) => pair.public_key().as_ref().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(algorithm: Algorithm, count: usize, kid: bool) -> Keys {
        Keys::new(&Config {
            algorithm,
            keys: count,
            kid,
            ..Config::default()
        })
        .unwrap()
    }

    /// jsonwebtoken, which shares no code with us, accepts what we sign.
    #[test]
    fn a_stranger_verifies() {
        use jsonwebtoken::{DecodingKey, Validation, decode, jwk::JwkSet};
        for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
            let keys = keys(algorithm, 2, true);
            let claims = json!({ "sub": "x", "exp": 4_000_000_000_u64 });
            let token = keys.sign(&claims).unwrap();
            let jwks: JwkSet = serde_json::from_value(keys.jwks()).unwrap();
            let header = jsonwebtoken::decode_header(&token).unwrap();
            let jwk = jwks.find(header.kid.as_deref().unwrap()).unwrap();
            let key = DecodingKey::from_jwk(jwk).unwrap();
            let read = decode::<Value>(&token, &key, &Validation::new(header.alg)).unwrap();
            assert_eq!(read.claims, claims);
            assert_eq!(keys.verify(&token).unwrap(), claims);
        }
    }

    #[test]
    fn rotated_away() {
        for kid in [true, false] {
            let keys = keys(Algorithm::RS256, 2, kid);
            let token = keys.sign(&json!({})).unwrap();
            keys.rotate().unwrap();
            assert!(keys.verify(&token).is_err());
            assert!(keys.verify(&keys.sign(&json!({})).unwrap()).is_ok());
        }
    }

    #[test]
    fn without_a_kid() {
        let keys = keys(Algorithm::ES256, 3, false);
        assert_eq!(keys.jwks()["keys"].as_array().unwrap().len(), 3);
        assert!(keys.jwks()["keys"][0].get("kid").is_none());
        assert!(keys.verify(&keys.sign(&json!({})).unwrap()).is_ok());
    }

    #[test]
    fn the_pem_is_a_public_key() {
        let key = keys(Algorithm::RS256, 1, true).active().unwrap();
        let pem = key.public_as_secret();
        assert!(jsonwebtoken::DecodingKey::from_rsa_pem(&pem).is_ok());
    }
}
