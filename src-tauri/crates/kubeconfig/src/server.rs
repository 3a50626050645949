//! An API server by what a kubeconfig, or kubectl itself, says of it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::base64;
use crate::config::Cluster;

/// The most bytes that KUBERNETES_EXEC_INFO may have.
const MAX_EXEC_INFO: usize = 1 << 20;

/// An API server as a kubeconfig describes it. Two spellings of one address are two servers: then a person is asked
/// once more, which is better than once too few. Passwords in the addresses are left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerKey {
    /// Its address.
    pub url: String,
    /// Who must have signed its certificate.
    pub ca: CertificateAuthority,
    /// Nobody need have signed it.
    pub insecure_skip_tls_verify: bool,
    /// The proxy that stands in between.
    pub proxy_url: Option<String>,
    /// The name that its certificate must have, if not the address's.
    pub tls_server_name: Option<String>,
}

/// Who must have signed a server's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateAuthority {
    /// Whom the system trusts.
    System,
    /// Who stands in this file. [`ServerKey::with_ca_data`] makes `Data` of it.
    File(PathBuf),
    /// Who stands here, in base64.
    Data(String),
}

impl CertificateAuthority {
    /// Data as the key has it.
    pub fn data(bytes: &[u8]) -> Self {
        Self::Data(base64::encode(bytes))
    }
}

/// An address of a server or of its proxy that not every program reads alike: whose it is can't be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OddAddress;

impl TryFrom<&Cluster> for ServerKey {
    type Error = OddAddress;

    /// Data comes before a path (client-go `rest/config.go`: `dataFromSliceOrFile`).
    fn try_from(cluster: &Cluster) -> Result<Self, OddAddress> {
        let server = Address::read(&cluster.server).ok_or(OddAddress)?;
        let ca = match (
            &cluster.certificate_authority_data,
            &cluster.certificate_authority,
        ) {
            (Some(data), _) => CertificateAuthority::data(data),
            (None, Some(file)) => CertificateAuthority::File(file.clone()),
            (None, None) => CertificateAuthority::System,
        };
        Ok(Self {
            url: server.without_query().without_password(),
            ca,
            insecure_skip_tls_verify: cluster.insecure_skip_tls_verify,
            proxy_url: proxy(cluster.proxy_url.as_deref())?,
            tls_server_name: cluster.tls_server_name.clone(),
        })
    }
}

impl ServerKey {
    /// The same server with its CA's file read, as KUBERNETES_EXEC_INFO names it: kubectl sends the file's bytes.
    /// So keys from both sides can be compared. `read` is the caller's; a file that it can't read stays a path.
    #[must_use]
    pub fn with_ca_data(self, read: impl FnOnce(&Path) -> Option<Vec<u8>>) -> Self {
        let ca = match self.ca {
            CertificateAuthority::File(file) => match read(&file) {
                Some(bytes) if bytes.is_empty() => CertificateAuthority::System,
                Some(bytes) => CertificateAuthority::data(&bytes),
                None => CertificateAuthority::File(file),
            },
            ca @ (CertificateAuthority::System | CertificateAuthority::Data(_)) => ca,
        };
        Self { ca, ..self }
    }
}

/// KUBERNETES_EXEC_INFO is not what kubectl writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExecInfoError {
    /// Longer than any that kubectl writes.
    #[error("KUBERNETES_EXEC_INFO is larger than {MAX_EXEC_INFO} bytes")]
    TooLarge,
    /// No JSON, or of another shape.
    #[error("KUBERNETES_EXEC_INFO is no ExecCredential")]
    Malformed,
    /// The CA's data is not base64.
    #[error("KUBERNETES_EXEC_INFO has a certificate authority that is not base64")]
    Base64,
    /// A cluster without an address.
    #[error("KUBERNETES_EXEC_INFO has a cluster without a server")]
    NoServer,
}

#[derive(Deserialize)]
struct ExecCredential {
    #[serde(default)]
    spec: Option<Spec>,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    cluster: Option<ExecCluster>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ExecCluster {
    server: Option<String>,
    tls_server_name: Option<String>,
    insecure_skip_tls_verify: Option<bool>,
    certificate_authority_data: Option<String>,
    proxy_url: Option<String>,
}

/// What KUBERNETES_EXEC_INFO says of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecServer {
    /// Nothing.
    Unnamed,
    /// It is this one.
    Named(ServerKey),
    /// Not every program reads its address alike.
    Odd,
}

/// The server that KUBERNETES_EXEC_INFO names, if it does: only with `provideClusterInfo` (client-go
/// `pkg/apis/clientauthentication/v1/types.go`, `rest/exec.go`). Version and kind are not looked at here.
pub fn from_exec_info(json: &str) -> Result<ExecServer, ExecInfoError> {
    if json.len() > MAX_EXEC_INFO {
        return Err(ExecInfoError::TooLarge);
    }
    let credential: ExecCredential =
        serde_json::from_str(json).map_err(|_| ExecInfoError::Malformed)?;
    let Some(cluster) = credential.spec.and_then(|spec| spec.cluster) else {
        return Ok(ExecServer::Unnamed);
    };
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let ca = match some(cluster.certificate_authority_data) {
        Some(data) => {
            CertificateAuthority::data(&base64::decode(&data).ok_or(ExecInfoError::Base64)?)
        }
        None => CertificateAuthority::System,
    };
    let server = some(cluster.server).ok_or(ExecInfoError::NoServer)?;
    let proxy_url = proxy(some(cluster.proxy_url).as_deref());
    let (Some(server), Ok(proxy_url)) = (Address::read(&server), proxy_url) else {
        return Ok(ExecServer::Odd);
    };
    Ok(ExecServer::Named(ServerKey {
        url: server.without_password(),
        ca,
        insecure_skip_tls_verify: cluster.insecure_skip_tls_verify.unwrap_or_default(),
        proxy_url,
        tls_server_name: some(cluster.tls_server_name),
    }))
}

fn proxy(url: Option<&str>) -> Result<Option<String>, OddAddress> {
    let read = |url| {
        Address::read(url)
            .map(|address| address.without_password())
            .ok_or(OddAddress)
    };
    url.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(cluster: &str) -> ServerKey {
        let text = format!("clusters: [{{name: c, cluster: {{{cluster}}}}}]");
        let config = crate::load(Path::new("/k/config"), text.as_bytes()).unwrap();
        ServerKey::try_from(&crate::merge([&config], Path::new("/")).clusters["c"]).unwrap()
    }

    #[test]
    fn file_and_exec_info_give_one_key() {
        let table = [
            ("server: 'https://c'", r#"{"server":"https://c"}"#),
            (
                "server: 'https://c:6443/', certificate-authority: ca.crt",
                r#"{"server":"https://c:6443/","certificate-authority-data":"Y2E="}"#,
            ),
            (
                "server: 'https://c', certificate-authority: ca.crt, certificate-authority-data: b3RoZXI=",
                r#"{"server":"https://c","certificate-authority-data":"b3RoZXI="}"#,
            ),
            (
                "server: 'https://c/p?q', insecure-skip-tls-verify: true, tls-server-name: name, proxy-url: 'http://u:p@p:1'",
                r#"{"server":"https://c/p","insecure-skip-tls-verify":true,"tls-server-name":"name","proxy-url":"http://u:p@p:1"}"#,
            ),
        ];
        for (cluster, info) in table {
            let from_file = key(cluster)
                .with_ca_data(|file| (file == Path::new("/k/ca.crt")).then(|| b"ca".to_vec()));
            let info = format!(
                r#"{{"kind":"ExecCredential","spec":{{"cluster":{info},"interactive":true}}}}"#
            );
            assert_eq!(
                from_exec_info(&info),
                Ok(ExecServer::Named(from_file)),
                "{cluster}"
            );
        }
    }

    #[test]
    fn exec_info_may_name_no_server_and_may_be_garbage() {
        let table = [
            ("{}", Ok(ExecServer::Unnamed)),
            (r#"{"spec":null}"#, Ok(ExecServer::Unnamed)),
            (
                r#"{"apiVersion":"x","kind":"ExecCredential","spec":{"interactive":true}}"#,
                Ok(ExecServer::Unnamed),
            ),
            (r#"{"spec":{"cluster":null}}"#, Ok(ExecServer::Unnamed)),
            (r#"{"spec":{"cluster":{}}}"#, Err(ExecInfoError::NoServer)),
            (
                r#"{"spec":{"cluster":{"server":"s","certificate-authority-data":"%"}}}"#,
                Err(ExecInfoError::Base64),
            ),
            (
                r#"{"spec":{"cluster":{"server":"s","server":"t"}}}"#,
                Err(ExecInfoError::Malformed),
            ),
            (r#"{"spec":{"cluster":"s"}}"#, Err(ExecInfoError::Malformed)),
            ("", Err(ExecInfoError::Malformed)),
            ("[]x", Err(ExecInfoError::Malformed)),
        ];
        for (json, expected) in table {
            assert_eq!(from_exec_info(json), expected, "{json}");
        }
        assert_eq!(
            from_exec_info(&" ".repeat(MAX_EXEC_INFO + 1)),
            Err(ExecInfoError::TooLarge)
        );
        let deep = format!(
            "{{\"spec\":{}{}}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(from_exec_info(&deep), Err(ExecInfoError::Malformed));
    }

    #[test]
    fn an_address_that_not_everybody_reads_alike_is_no_key() {
        for field in ["server", "proxy-url"] {
            for odd in [
                "https://evil\\\\@good",
                "https://gw/good#/../evil",
                "https://a@b@c",
            ] {
                let other = match field {
                    "server" => "",
                    _ => "\"server\":\"https://c\",",
                };
                let cluster = format!("{other}\"{field}\":\"{odd}\"");
                let text = format!("clusters: [{{name: c, cluster: {{{cluster}}}}}]");
                let config = crate::load(Path::new("/k"), text.as_bytes()).unwrap();
                assert_eq!(ServerKey::try_from(&config.clusters["c"]), Err(OddAddress));
                let info = format!("{{\"spec\":{{\"cluster\":{{{cluster}}}}}}}");
                assert_eq!(from_exec_info(&info), Ok(ExecServer::Odd), "{info}");
            }
        }
    }

    #[test]
    fn a_key_survives_storage() {
        let key =
            key("server: 'https://c', certificate-authority: ca.crt, proxy-url: 'socks5://p'");
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<ServerKey>(&json).unwrap(), key);
    }
}
