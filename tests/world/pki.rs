//! A certificate authority of the run's own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// One key for the authority, one certificate for every server of the run. Files, since programs
/// take them so.
#[derive(Debug)]
pub struct Pki {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The certificate for `localhost` and 127.0.0.1.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// A key that has nothing to do with them: kube-apiserver signs service accounts' tokens by it.
    pub service_account_key: PathBuf,
    /// What it checks them by.
    pub service_account_public_key: PathBuf,
}

impl Pki {
    /// Makes it in a folder that is there.
    pub fn make(folder: &Path) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        name(&mut params, "Kubefob's test authority");
        let ca_key = KeyPair::generate()?;
        let ca = params.self_signed(&ca_key)?;
        let issuer = Issuer::new(params, ca_key);

        let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        name(&mut params, "localhost");
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?;

        let write = |name: &str, pem: String| {
            let path = folder.join(name);
            fs::write(&path, pem).with_context(|| format!("can't write {}", path.display()))?;
            Ok::<_, anyhow::Error>(path)
        };
        let service_accounts = KeyPair::generate()?;
        Ok(Self {
            ca: write("ca.pem", ca.pem())?,
            certificate: write("server.pem", certificate.pem())?,
            key: write("server.key", key.serialize_pem())?,
            service_account_key: write("sa.key", service_accounts.serialize_pem())?,
            service_account_public_key: write("sa.pub", service_accounts.public_key_pem())?,
        })
    }

    /// A client that trusts this authority alone, follows no redirect and uses no proxy.
    pub fn client(&self) -> Result<reqwest::Client> {
        let ca = reqwest::Certificate::from_pem(&fs::read(&self.ca)?)?;
        let client = reqwest::Client::builder()
            .tls_certs_only([ca])
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(std::time::Duration::from_secs(30))
            .build()?;
        Ok(client)
    }
}

fn name(params: &mut CertificateParams, common: &str) {
    params.distinguished_name.push(DnType::CommonName, common);
    // A clock that a test turns back or forward is no reason to distrust it.
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
}
