//! A provider's public keys (RFC 7517) and what they have signed (RFC 7515).
//!
//! The algorithms are ring's, which TLS uses here already. RSA keys below 2048 bits are not taken.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use ring::signature;
use serde::Deserialize;

/// With how many keys a signature is tried: more than any provider has of a name, and each try takes its time.
const MOST: usize = 64;

/// The public keys of a provider that we can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A signature algorithm that is accepted (RFC 7518 section 3.1, RFC 8037). `none` and HS* are not
/// here: no token can ask for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// EdDSA with Ed25519.
    EdDsa,
}

const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::Rs256),
    ("RS384", Algorithm::Rs384),
    ("RS512", Algorithm::Rs512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
    ("ES256", Algorithm::Es256),
    ("ES384", Algorithm::Es384),
    ("EdDSA", Algorithm::EdDsa),
];

impl Algorithm {
    /// The algorithm of a JOSE name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALGORITHMS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, algorithm)| *algorithm)
    }

    fn name(self) -> Option<&'static str> {
        ALGORITHMS
            .iter()
            .find(|(_, known)| *known == self)
            .map(|(name, _)| *name)
    }
}

impl Keys {
    /// Reads a key set. Keys of other kinds, for encryption, or damaged are left out.
    ///
    /// # Errors
    ///
    /// Something that is no key set.
    pub fn parse(document: &[u8]) -> Result<Self, String> {
        let set: Set = serde_json::from_slice(document)
            .map_err(|error| crate::json::where_not_what(&error))?;
        let keys = set.keys.into_iter();
        Ok(Self(
            keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok()?.read())
                .collect(),
        ))
    }

    /// Whether one of the keys made this signature. Where a token names its key, those of that name are tried and no
    /// other; there may be two (RFC 7517 section 4.5 asks only that they differ where they can). A token without a
    /// name fits any key, and a name that no key has fits those without one (OIDC Core section 10.1 asks for names,
    /// providers forget them).
    #[must_use]
    pub fn verify(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let is_named = id.is_some() && self.0.iter().any(|key| key.id.as_deref() == id);
        self.0
            .iter()
            .filter(|key| match (id, &key.id) {
                (Some(wanted), Some(id)) => wanted == id,
                (Some(_), None) => !is_named,
                (None, _) => true,
            })
            .filter(|key| {
                key.algorithm
                    .as_deref()
                    .is_none_or(|name| algorithm.name() == Some(name))
            })
            .take(MOST)
            .any(|key| key.material.verify(algorithm, message, signature))
    }
}

impl Material {
    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { modulus, exponent } => rsa(algorithm).is_some_and(|parameters| {
                signature::RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                }
                .verify(parameters, message, signature)
                .is_ok()
            }),
            Self::P256(point) => {
                algorithm == Algorithm::Es256
                    && plain(
                        &signature::ECDSA_P256_SHA256_FIXED,
                        point,
                        message,
                        signature,
                    )
            }
            Self::P384(point) => {
                algorithm == Algorithm::Es384
                    && plain(
                        &signature::ECDSA_P384_SHA384_FIXED,
                        point,
                        message,
                        signature,
                    )
            }
            Self::Ed25519(point) => {
                algorithm == Algorithm::EdDsa
                    && plain(&signature::ED25519, point, message, signature)
            }
        }
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static signature::RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => None,
    }
}

fn plain(
    algorithm: &'static dyn signature::VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    mark: &[u8],
) -> bool {
    signature::UnparsedPublicKey::new(algorithm, key)
        .verify(message, mark)
        .is_ok()
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    fn read(self) -> Option<Key> {
        if self
            .purpose
            .as_deref()
            .is_some_and(|purpose| purpose != "sig")
        {
            return None;
        }
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Material::Rsa {
                modulus: trimmed(decode(self.n.as_deref()?)?),
                exponent: trimmed(decode(self.e.as_deref()?)?),
            },
            ("EC", Some("P-256")) => Material::P256(point(32, &self.x?, &self.y?)?),
            ("EC", Some("P-384")) => Material::P384(point(48, &self.x?, &self.y?)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(decode(self.x.as_deref()?)?),
            _ => return None,
        };
        Some(Key {
            id: self.kid,
            algorithm: self.alg,
            material,
        })
    }
}

/// An uncompressed point; some providers drop a coordinate's leading zeros.
fn point(size: usize, x: &str, y: &str) -> Option<Vec<u8>> {
    let mut point = vec![4];
    for coordinate in [x, y] {
        let coordinate = trimmed(decode(coordinate)?);
        point.extend(std::iter::repeat_n(0, size.checked_sub(coordinate.len())?));
        point.extend(coordinate);
    }
    Some(point)
}

fn trimmed(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    number
}

/// base64url, with or without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    const TOLERANT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    TOLERANT.decode(text).ok()
}
