//! Who may have tokens of whom, as values: accounts and servers in pairs, and the servers that a request may be for.

use std::sync::Arc;

use kubeconfig::{CertificateAuthority, ServerKey};
use serde::{Deserialize, Serialize};

use crate::account::AccountId;

/// An account and a server that may have its tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pair {
    /// Whose tokens.
    pub account: AccountId,
    /// Where they may go.
    pub server: Server,
}

/// The server of a pair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    /// As a kubeconfig describes it.
    Known(Arc<ServerKey>),
    /// The request named none and the file set is out of sight; the digest of the shim's
    /// arguments stands for it.
    Unknown(String),
}

/// The servers that a question may be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// All of these must be trusted.
    pub needed: Vec<Candidate>,
    /// The file set's other servers that use the account.
    pub others: Vec<Candidate>,
    /// Where that can't be believed, the addresses that whoever asks has in its own files. They word the question.
    pub claims: Vec<String>,
}

/// A server and the contexts that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The server.
    pub server: Server,
    /// Names of contexts.
    pub contexts: Vec<String>,
    /// The kubeconfig that names it.
    pub file: Option<String>,
}

impl Pair {
    /// What to call it in a command.
    #[must_use]
    pub fn name(&self) -> String {
        name_of(self)
    }
}

/// What something is called in a command: as good as its content. The same is called the same after a restart too, and
/// what is called so is nothing else: 120 bits of its digest, since with few of them whoever writes kubeconfigs could
/// look for two that are called the same, have one read and the other approved.
pub(crate) fn name_of(content: &impl Serialize) -> String {
    /// Without those that are taken for others (Crockford's base 32).
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    const BITS: usize = 120;
    let text = serde_json::to_vec(content).unwrap_or_default();
    let digest = ring::digest::digest(&ring::digest::SHA256, &text);
    let mut name = String::new();
    let (mut kept, mut bits) = (0_usize, 0);
    for byte in digest.as_ref().iter().take(BITS / 8) {
        kept = (kept << 8) | usize::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            let letter = LETTERS.get((kept >> bits) & 31);
            name.extend(letter.map(|letter| char::from(*letter)));
        }
        kept &= 31;
    }
    name
}

impl Server {
    /// As it is shown: its URL, or nothing for an unknown one.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Known(server) => Some(&server.url),
            Self::Unknown(_) => None,
        }
    }

    /// The proxy that stands in between.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        match self {
            Self::Known(server) => server.proxy_url.as_deref().filter(|url| !url.is_empty()),
            Self::Unknown(_) => None,
        }
    }

    /// The authority that the kubeconfig brings, to be told from others: its file, or the beginning of its digest.
    #[must_use]
    pub(crate) fn authority(&self) -> Option<String> {
        const DIGITS: usize = 12;
        let Self::Known(server) = self else {
            return None;
        };
        match &server.ca {
            CertificateAuthority::System => None,
            CertificateAuthority::File(file) => Some(crate::short::path(&file.to_string_lossy())),
            CertificateAuthority::Data(data) => Some(name_of(data).chars().take(DIGITS).collect()),
        }
    }

    /// The name that its certificate must have, if not the address's.
    pub(crate) fn other_name(&self) -> Option<&str> {
        match self {
            Self::Known(server) => server.tls_server_name.as_deref(),
            Self::Unknown(_) => None,
        }
    }

    /// Whether nobody need have signed its certificate.
    pub(crate) fn skips_tls(&self) -> bool {
        match self {
            Self::Known(server) => server.insecure_skip_tls_verify,
            Self::Unknown(_) => false,
        }
    }

    /// Whether the kubeconfig brings the authority that must have signed its certificate, where that is looked at.
    #[must_use]
    pub fn has_own_authority(&self) -> bool {
        match self {
            Self::Known(server) => match &server.ca {
                CertificateAuthority::System => false,
                CertificateAuthority::File(_) | CertificateAuthority::Data(_) => {
                    !server.insecure_skip_tls_verify
                }
            },
            Self::Unknown(_) => false,
        }
    }

    /// Whether it is known which server it is.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        match self {
            Self::Known(_) => true,
            Self::Unknown(_) => false,
        }
    }
}
