//! Certificate authorities that an account names.

use base64::Engine as _;
use broker::account::AccountKey;
use broker::problem::Problem;
use provider::Trusted;

use crate::hall::blocking::blocking;
use crate::os::files::regular::{Unread, bounded, open};

/// The most bytes that a certificate authority's file may have.
pub(super) const CA_BYTES: u64 = 1024 * 1024;

/// What certificate authorities an account's key names, read.
///
/// # Errors
/// `BadFile`, which names the file and quotes nothing of it.
pub(crate) async fn trusted(key: &AccountKey) -> Result<Trusted, Problem> {
    let tls = key.tls.clone();
    blocking(move || {
        let mut ca_pem = Vec::new();
        for path in &tls.ca_files {
            let read = open(path).and_then(|file| bounded(&file, CA_BYTES));
            ca_pem.push(read.map_err(|unread| bad_file(&path.display().to_string(), &unread))?);
        }
        for data in &tls.ca_data {
            let decoded = base64::engine::general_purpose::STANDARD.decode(data.trim());
            let unread = || Unread::Malformed("not base64".to_owned());
            ca_pem.push(decoded.map_err(|_| bad_file("--certificate-authority-data", &unread()))?);
        }
        Ok(Trusted {
            ca_pem,
            own_ca: false,
        })
    })
    .await?
}

fn bad_file(path: &str, unread: &Unread) -> Problem {
    Problem::BadFile {
        path: path.to_owned(),
        reason: unread.reason(),
    }
}
