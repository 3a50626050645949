//! A real kube-apiserver on a real etcd.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use crate::parts::Parts;
use crate::pki::Pki;
use crate::running::{Running, free_port};

/// Both, for as long as it lives.
pub struct ApiServer {
    /// `https://127.0.0.1:PORT`.
    pub url: String,
    client: reqwest::Client,
    // Dropped in this order: the server before its store.
    _server: Running,
    _etcd: Running,
}

impl ApiServer {
    /// A member of `system:masters`, beside whoever comes with an ID token.
    pub const ADMIN_TOKEN: &str = "admintoken";

    /// Starts both with their data and logs in a folder of the run's, and waits until they answer.
    /// The server takes the ID tokens of `issuer` for `client_id`, by the article's 2-1 with the
    /// mistakes that it has put right.
    pub async fn start(
        parts: &Parts,
        folder: &Path,
        pki: &Pki,
        issuer: &str,
        client_id: &str,
    ) -> Result<Self> {
        let client = pki.client()?;
        let (etcd, store) = etcd(parts, folder, &client).await?;
        let port = free_port()?;
        let url = format!("https://127.0.0.1:{port}");
        let mut command = Command::new(parts.path("kube-apiserver")?);
        command
            .arg(format!("--etcd-servers={store}"))
            .arg(format!("--secure-port={port}"))
            .arg("--bind-address=127.0.0.1")
            // Where nothing is: without it, it looks for a way out of the machine, which may have none.
            .arg("--advertise-address=192.0.2.1")
            .arg(option("tls-cert-file", &pki.certificate))
            .arg(option("tls-private-key-file", &pki.key))
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .arg(option(
                "service-account-key-file",
                &pki.service_account_public_key,
            ))
            .arg(option(
                "service-account-signing-key-file",
                &pki.service_account_key,
            ))
            .arg("--service-cluster-ip-range=10.0.0.0/24")
            .arg("--disable-admission-plugins=ServiceAccount")
            .arg("--authorization-mode=RBAC")
            .arg(option("token-auth-file", &tokens(folder)?))
            .arg(format!("--oidc-issuer-url={issuer}"))
            .arg(format!("--oidc-client-id={client_id}"))
            .arg(option("oidc-ca-file", &pki.ca))
            .arg("--oidc-username-claim=preferred_username")
            .arg("--oidc-username-prefix=-")
            .arg("--oidc-groups-claim=groups");
        let mut server = Running::start("kube-apiserver", &mut command, folder)?;
        let ready = format!("{url}/readyz");
        server
            .until(300, async || {
                let request = client.get(&ready).bearer_auth(Self::ADMIN_TOKEN);
                request
                    .send()
                    .await
                    .ok()?
                    .status()
                    .is_success()
                    .then_some(())
            })
            .await?;
        Ok(Self {
            url,
            client,
            _server: server,
            _etcd: etcd,
        })
    }

    /// What it answers to a GET: the status and the body.
    pub async fn get(&self, path: &str, token: Option<&str>) -> Result<(u16, Value)> {
        let mut request = self.client.get(format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let body = answer.text().await?;
        Ok((
            status,
            serde_json::from_str(&body).unwrap_or(Value::String(body)),
        ))
    }
}

async fn etcd(parts: &Parts, folder: &Path, client: &reqwest::Client) -> Result<(Running, String)> {
    let own = format!("http://127.0.0.1:{}", free_port()?);
    let peers = format!("http://127.0.0.1:{}", free_port()?);
    let mut command = Command::new(parts.path("etcd")?);
    command
        .arg("--unsafe-no-fsync")
        .arg(option("data-dir", &folder.join("etcd")))
        .args([
            "--listen-client-urls",
            &own,
            "--advertise-client-urls",
            &own,
        ])
        .args(["--listen-peer-urls", &peers]);
    let mut etcd = Running::start("etcd", &mut command, folder)?;
    let health = format!("{own}/health");
    etcd.until(300, async || {
        client
            .get(&health)
            .send()
            .await
            .ok()?
            .status()
            .is_success()
            .then_some(())
    })
    .await?;
    Ok((etcd, own))
}

fn tokens(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("tokens.csv");
    fs::write(
        &path,
        format!("{},admin,1,\"system:masters\"\n", ApiServer::ADMIN_TOKEN),
    )?;
    Ok(path)
}

fn option(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}
