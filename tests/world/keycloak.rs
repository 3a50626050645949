//! A real Keycloak: started, stopped, started again, and told what to do by its admin API.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::keycloak_realm::{CLIENT_ID, REALM, USER, realm};
use crate::parts::Parts;
use crate::pki::Pki;
use crate::running::{Running, free_port};

/// One realm, one client, one user: as the article sets them up.
pub struct Keycloak {
    /// `https://localhost:PORT`, the same for as long as it exists.
    pub url: String,
    /// The client's secret, until [`Keycloak::set_client`] changes it.
    pub client_secret: String,
    /// The user's password.
    pub password: String,
    start: Start,
    client: reqwest::Client,
    running: Mutex<Option<Running>>,
}

/// What each start needs.
struct Start {
    part: PathBuf,
    java: PathBuf,
    folder: PathBuf,
    arguments: Vec<String>,
}

/// What the token endpoint answered.
#[derive(Clone, Deserialize)]
pub struct Tokens {
    /// What Kubernetes takes.
    pub id_token: String,
    /// What Keycloak's own interfaces take.
    pub access_token: String,
    /// What gets the next ones.
    pub refresh_token: String,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Tokens(****)")
    }
}

/// One of a user's sessions, as the admin API shows it.
#[derive(Clone, Debug, Deserialize)]
pub struct Session {
    /// The `sid` of its tokens.
    pub id: String,
    /// When it began, in milliseconds since 1970.
    pub start: u64,
    /// When a refresh or a sign-in last used it.
    #[serde(rename = "lastAccess")]
    pub last_access: u64,
}

impl Keycloak {
    /// The realm's name.
    pub const REALM: &str = REALM;
    /// The client of the article.
    pub const CLIENT_ID: &str = CLIENT_ID;
    /// The user of the article.
    pub const USER: &str = USER;

    /// Starts it with its data and its log in a folder of the run's, and waits until it answers.
    pub async fn start(parts: &Parts, folder: &Path, pki: &Pki) -> Result<Self> {
        let port = free_port()?;
        let url = format!("https://localhost:{port}");
        let client_secret = random()?;
        let password = random()?;
        let import = folder.join("keycloak/data/import");
        fs::create_dir_all(&import)?;
        let realm = realm(&client_secret, &password).to_string();
        fs::write(import.join(format!("{REALM}-realm.json")), realm)?;
        let start = Start {
            part: parts.path("keycloak")?.to_owned(),
            java: parts.path("java")?.to_owned(),
            folder: folder.to_owned(),
            arguments: vec![
                "--import-realm".to_owned(),
                "--http-enabled=false".to_owned(),
                format!("--https-port={port}"),
                format!("--https-certificate-file={}", pki.certificate.display()),
                format!("--https-certificate-key-file={}", pki.key.display()),
                format!("--hostname={url}"),
            ],
        };
        let client = pki.client()?;
        let running = Mutex::new(None);
        let keycloak = Self {
            url,
            client_secret,
            password,
            start,
            client,
            running,
        };
        keycloak.start_again().await?;
        Ok(keycloak)
    }

    /// What the tokens' `iss` says.
    pub fn issuer(&self) -> String {
        format!("{}/realms/{REALM}", self.url)
    }

    /// Stops it as its administrator would, and waits until it has.
    pub async fn stop(&self) -> Result<()> {
        match self.running.lock().await.take() {
            Some(running) => running.stop().await,
            None => bail!("Keycloak is stopped already"),
        }
    }

    /// Ends it at once, as a fault would.
    pub async fn kill(&self) {
        self.running.lock().await.take();
    }

    /// Starts it on the same data and port after a stop, and waits until it answers.
    pub async fn start_again(&self) -> Result<()> {
        let mut slot = self.running.lock().await;
        ensure!(slot.is_none(), "Keycloak runs already");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/real/parts/keycloak/start");
        let mut command = Command::new("sh");
        command
            .arg(script)
            .args([&self.start.part, &self.start.folder.join("keycloak")])
            .args(&self.start.arguments)
            .env("JAVA", &self.start.java)
            // Where xtask's first start left no database: the same name and password there.
            .env("KC_BOOTSTRAP_ADMIN_USERNAME", "admin")
            .env("KC_BOOTSTRAP_ADMIN_PASSWORD", "admin");
        let mut running = Running::start("keycloak", &mut command, &self.start.folder)?;
        let discovery = format!("{}/.well-known/openid-configuration", self.issuer());
        running
            .until(600, async || {
                let answer = self.client.get(&discovery).send().await.ok()?;
                answer.status().is_success().then_some(())
            })
            .await?;
        *slot = Some(running);
        Ok(())
    }

    /// The article's 2-2: tokens for the user's password, without a browser.
    pub async fn password_grant(&self) -> Result<Tokens> {
        let answer = self
            .token(&[
                ("grant_type", "password"),
                ("username", USER),
                ("password", &self.password),
                ("scope", "openid"),
            ])
            .await?;
        let (status, body) = answer;
        ensure!(
            status == 200,
            "the token endpoint answered {status}: {body}"
        );
        Ok(serde_json::from_value(body)?)
    }

    /// Presents a refresh token, as nobody but the resident should; the status and the body.
    pub async fn refresh(&self, refresh_token: &str) -> Result<(u16, Value)> {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ])
        .await
    }

    async fn token(&self, fields: &[(&str, &str)]) -> Result<(u16, Value)> {
        let mut form = vec![
            ("client_id", CLIENT_ID),
            ("client_secret", &self.client_secret),
        ];
        form.extend(fields);
        let url = format!("{}/protocol/openid-connect/token", self.issuer());
        let answer = self.client.post(url).form(&form).send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// The user's sessions.
    pub async fn sessions(&self) -> Result<Vec<Session>> {
        let user = self.user().await?;
        let sessions = self
            .admin(Method::GET, &format!("users/{user}/sessions"), None)
            .await?;
        Ok(serde_json::from_value(sessions)?)
    }

    /// Ends all of the user's sessions, as "sign out" in the admin console does.
    pub async fn end_sessions(&self) -> Result<()> {
        let user = self.user().await?;
        self.admin(Method::POST, &format!("users/{user}/logout"), None)
            .await?;
        Ok(())
    }

    /// How long ID and access tokens live, from the next one on.
    pub async fn set_token_lifespan(&self, seconds: u32) -> Result<()> {
        self.set_realm(json!({ "accessTokenLifespan": seconds }))
            .await
    }

    /// Whether each refresh brings a new refresh token and makes the old one worthless.
    pub async fn set_rotation(&self, on: bool) -> Result<()> {
        self.set_realm(json!({ "revokeRefreshToken": on, "refreshTokenMaxReuse": 0 }))
            .await
    }

    /// Sets options of the realm, named as its admin API names them; the others stay.
    pub async fn set_realm(&self, options: Value) -> Result<()> {
        self.admin(Method::PUT, "", Some(options)).await?;
        Ok(())
    }

    /// Sets options of the client: `secret`, `enabled`, `redirectUris`, …; the others stay.
    pub async fn set_client(&self, options: Value) -> Result<()> {
        let found = self
            .admin(Method::GET, &format!("clients?clientId={CLIENT_ID}"), None)
            .await?;
        let id = found[0]["id"]
            .as_str()
            .context("the realm has no such client")?;
        self.admin(Method::PUT, &format!("clients/{id}"), Some(options))
            .await?;
        Ok(())
    }

    /// Sets options of the user: `enabled`, …; the others stay.
    pub async fn set_user(&self, options: Value) -> Result<()> {
        let user = self.user().await?;
        self.admin(Method::PUT, &format!("users/{user}"), Some(options))
            .await?;
        Ok(())
    }

    /// Takes the user into the realm's group of administrators, or out of it.
    pub async fn admit(&self, member: bool) -> Result<()> {
        let found = self
            .admin(Method::GET, "groups?search=kubernetes-admins", None)
            .await?;
        let group = found[0]["id"]
            .as_str()
            .context("the realm has no such group")?;
        let path = format!("users/{}/groups/{group}", self.user().await?);
        let method = if member { Method::PUT } else { Method::DELETE };
        self.admin(method, &path, None).await?;
        Ok(())
    }

    async fn user(&self) -> Result<String> {
        let path = format!("users?username={USER}&exact=true");
        let found = self.admin(Method::GET, &path, None).await?;
        let id = found[0]["id"]
            .as_str()
            .context("the realm has no such user")?;
        Ok(id.to_owned())
    }

    /// A call of the realm's admin API. Its own token lives a minute: each call gets a new one.
    pub async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let form = [
            ("grant_type", "password"),
            ("client_id", "admin-cli"),
            ("username", "admin"),
            ("password", "admin"),
        ];
        let url = format!("{}/realms/master/protocol/openid-connect/token", self.url);
        let token: Value = self
            .client
            .post(url)
            .form(&form)
            .send()
            .await?
            .json()
            .await?;
        let token = token["access_token"]
            .as_str()
            .context("the administrator can't sign in")?;
        let url = format!("{}/admin/realms/{REALM}/{path}", self.url);
        let url = url.trim_end_matches('/');
        let mut request = self.client.request(method, url).bearer_auth(token);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{url} answered {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

/// A secret that a search of files and memories can't find by chance.
fn random() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
