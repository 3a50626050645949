//! A certificate authority of the run's own, and a server certificate that can run out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

/// The certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Kubefob playground CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2049, 12, 31);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
        })
    }

    /// The CA's certificate as PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for loopback, and one that ran out, both of the same key.
    pub(crate) fn certificate(&self) -> anyhow::Result<Arc<Certificate>> {
        let key = KeyPair::generate()?;
        Ok(Arc::new(Certificate {
            valid: self.certify(&key, true)?,
            expired: self.certify(&key, false)?,
            ran_out: AtomicBool::new(false),
        }))
    }

    fn certify(&self, key: &KeyPair, valid: bool) -> anyhow::Result<Arc<CertifiedKey>> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "localhost");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        let last_year = if valid { 2049 } else { 2020 };
        params.not_after = rcgen::date_time_ymd(last_year, 12, 31);
        let certificate = params.signed_by(key, &self.issuer)?;
        let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let signing = any_supported_type(&private)?;
        Ok(Arc::new(CertifiedKey::new(
            vec![certificate.der().clone()],
            signing,
        )))
    }
}

/// What a server shows of itself.
#[derive(Debug)]
pub(crate) struct Certificate {
    valid: Arc<CertifiedKey>,
    expired: Arc<CertifiedKey>,
    ran_out: AtomicBool,
}

impl Certificate {
    pub(crate) fn run_out(&self, ran_out: bool) {
        self.ran_out.store(ran_out, Ordering::SeqCst);
    }

    pub(crate) fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Self>::clone(self));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A resumed session would not see that the certificate ran out.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        TlsAcceptor::from(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let ran_out = self.ran_out.load(Ordering::SeqCst);
        Some(Arc::clone(if ran_out {
            &self.expired
        } else {
            &self.valid
        }))
    }
}
