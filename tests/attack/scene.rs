//! Where the attacks take place: a provider and a cluster in memory, and a person with real
//! programs who uses them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use playground::{AttackerApi, Config, Playground, What};
use serde_json::{Value, json};
use url::Url;
use world::browser::{self, Settings, Step};
use world::parts::Parts;
use world::person::{Person, Said};
use world::screen::Screen;
use world::user::Other;
use world::wait;

/// How long anything may take to be seen. It only serves to fail.
pub(crate) const LATEST: Duration = Duration::from_secs(60);

/// A person at a desktop, whose own kubeconfig leads to an honest provider and cluster.
pub(crate) struct Scene {
    pub(crate) playground: Playground,
    pub(crate) person: Person,
    /// The provider's authority, as the person's flags name it.
    pub(crate) ca: PathBuf,
    /// What the person's browser did.
    log: PathBuf,
    /// For whatever an attack writes; nothing of Kubefob is in it.
    pub(crate) folder: PathBuf,
    _screen: Screen,
}

/// Who sits at the screen, and what they do with a question.
pub(crate) struct Seat {
    /// What the playground is started with.
    pub(crate) config: Value,
    /// The button that is pressed on Kubefob's question; see `Settings::consent`.
    pub(crate) consent: &'static str,
    /// What the person's settings say of the vault's key.
    pub(crate) keep: &'static str,
    /// Flags that the person's own kubeconfig has beside the article's.
    pub(crate) extra: &'static [&'static str],
    /// The user who they are; none is who tests.
    pub(crate) whose: Option<Other>,
}

impl Default for Seat {
    /// Somebody who says no to what they did not expect.
    fn default() -> Self {
        Self {
            config: json!({}),
            consent: "no",
            keep: "keyring",
            extra: &[],
            whose: None,
        }
    }
}

/// A kubectl command that asks its plugin once: `get ns` asks five times where it is refused.
pub(crate) const ONE_REQUEST: &[&str] = &["get", "--raw", "/api/v1/namespaces"];

impl Scene {
    /// Everything is there, and nobody has signed in yet.
    pub(crate) async fn set(seat: Seat) -> Result<Self> {
        let config: Config = serde_json::from_value(seat.config)?;
        let playground = Playground::start(config).await?;
        let screen = Screen::start()?;
        let parts = Parts::from_environment()?;
        let mut browser = Settings {
            user: "test".to_owned(),
            password: "test".to_owned(),
            consent: seat.consent.to_owned(),
            ..Settings::default()
        };
        let scripted = Path::new(env!("CARGO_BIN_EXE_scripted-browser"));
        let mut person = Person::new(parts.path("kubectl")?, scripted, &browser, Some(&screen))?;
        let folder = person
            .home
            .parent()
            .context("a home is in a folder")?
            .join("attack");
        fs::create_dir(&folder)?;
        let ca = person.home.join("provider-ca.pem");
        fs::write(&ca, playground.ca_pem())?;
        let log = folder.join("browser.jsonl");
        browser.ca = Some(ca.clone());
        browser.log = Some(log.clone());
        // The cookies of the provider's own session stay with the person.
        browser.profile = Some(folder.join("browser-profile.json"));
        let launcher = folder.join("browser");
        match seat.whose {
            Some(_) => browser.launcher(&person.bring(scripted)?, &launcher)?,
            None => browser.launcher(scripted, &launcher)?,
        }
        person.settings(&json!({ "version": 1, "browser": [launcher], "keep": seat.keep }))?;
        // No keyring of the machine that the test happens to run on.
        person.variable(
            "DBUS_SESSION_BUS_ADDRESS",
            &format!("unix:path={}", folder.join("no-bus").display()),
        );
        let mut scene = Self {
            playground,
            person,
            ca,
            log,
            folder,
            _screen: screen,
        };
        let own = scene.kubeconfig(
            &[("own", scene.own_server())],
            scene.exec("kubectl", seat.extra),
        );
        scene.person.kubeconfig(&own.to_string())?;
        if let Some(whose) = seat.whose {
            scene.person.becomes(whose)?;
        }
        Ok(scene)
    }

    /// Somebody who has signed in, and whose kubectl works.
    pub(crate) async fn signed_in(seat: Seat) -> Result<Self> {
        let scene = Self::set(seat).await?;
        scene.works("at first")?;
        let tokens = scene.playground.counters().sign_ins;
        ensure!(tokens == 1, "{tokens} sign-ins");
        Ok(scene)
    }

    /// The person goes away from the screen: what follows finds a resident without a desktop. What
    /// was signed in stays so where the vault keeps it on disk (`Seat::keep`).
    pub(crate) fn without_desktop(&mut self) -> Result<()> {
        self.person.variable("DISPLAY", "");
        self.person.end_resident("TERM")?;
        self.works("without a desktop")
    }

    /// The person's own kubectl on their own kubeconfig.
    pub(crate) fn works(&self, when: &str) -> Result<()> {
        let said = self.person.kubectl(ONE_REQUEST)?;
        ensure!(
            said.ok && said.out.contains("NamespaceList"),
            "{when}: {said:?}\n{}",
            self.person.log()
        );
        Ok(())
    }

    /// The same, as soon as what was in the way is gone.
    pub(crate) async fn works_again(&self, when: &str) -> Result<()> {
        wait::up_to(LATEST)
            .every(Duration::from_millis(100))
            .until_async(when, async || Ok(self.works(when)))
            .await
    }

    /// Puts a program at the person's browser that notes the addresses it is given and opens none;
    /// where it notes them.
    pub(crate) fn noting_browser(&self) -> Result<PathBuf> {
        let noted = self.folder.join("opened");
        fs::write(&noted, "")?;
        let script = self.folder.join("browser");
        let text = format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >> {}\n", noted.display());
        fs::write(&script, text)?;
        Ok(noted)
    }

    /// The first address that such a browser is given.
    pub(crate) async fn opened(&self, noted: &Path) -> Result<String> {
        let often = wait::up_to(LATEST).every(Duration::from_millis(10));
        let opened = often.until_async("a browser that is opened", async || {
            let noted = fs::read_to_string(noted)?;
            Ok(noted.split_once('\n').map(|(line, _)| line.to_owned()))
        });
        opened.await.with_context(|| self.person.log())
    }

    /// Somebody else sits at the browser from now on, without cookies.
    pub(crate) fn browser(&self, user: &str, password: &str) -> Result<()> {
        let settings = Settings {
            password: password.to_owned(),
            ..browser_of(user, "no")
        };
        self.launcher(settings, "browser").map(drop)
    }

    /// The person's browser presses this button from now on.
    pub(crate) fn presses(&self, consent: &str) -> Result<()> {
        self.launcher(browser_of("test", consent), "browser")
            .map(drop)
    }

    /// A browser of that name, without cookies, whose pages are noted with the others.
    pub(crate) fn launcher(&self, settings: Settings, name: &str) -> Result<PathBuf> {
        let settings = Settings {
            log: Some(self.log.clone()),
            ca: Some(self.ca.clone()),
            ..settings
        };
        let script = self.folder.join(name);
        let scripted = Path::new(env!("CARGO_BIN_EXE_scripted-browser"));
        settings.launcher(scripted, &script)?;
        Ok(script)
    }

    /// The person's own server, as a kubeconfig describes it.
    pub(crate) fn own_server(&self) -> Value {
        server(self.playground.kube_url(), self.playground.ca_pem())
    }

    /// The provider flags of the person's own kubeconfig. Their author's intentions apart, they
    /// are no secret from whoever hands kubeconfigs around.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut flags = vec![
            format!("--oidc-issuer-url={}", self.playground.issuer()),
            format!("--oidc-client-id={}", self.playground.addresses().client_id),
        ];
        if let Some(secret) = &self.playground.addresses().client_secret {
            flags.push(format!("--oidc-client-secret={secret}"));
        }
        flags.push(format!("--certificate-authority={}", self.ca.display()));
        flags
    }

    /// An exec stanza with the person's own flags, by one of our programs' names.
    pub(crate) fn exec(&self, command: &str, extra: &[&str]) -> Value {
        let mut flags = self.flags();
        flags.extend(extra.iter().map(|&flag| flag.to_owned()));
        exec(command, &flags)
    }

    /// A kubeconfig: a context for each server, the first one current, and one user for all.
    pub(crate) fn kubeconfig(&self, servers: &[(&str, Value)], exec: Value) -> Value {
        let clusters: Vec<_> = servers
            .iter()
            .map(|(name, cluster)| json!({ "name": name, "cluster": cluster }))
            .collect();
        let contexts: Vec<_> = servers
            .iter()
            .map(|(name, _)| json!({ "name": name, "context": { "cluster": name, "user": "me" } }))
            .collect();
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": clusters,
            "contexts": contexts,
            "current-context": servers.first().map_or("", |(name, _)| name),
            "users": [{ "name": "me", "user": { "exec": exec } }],
        })
    }

    /// A shell script in which somebody's program asks as the person's own stanza does: `text` has the command put in. So
    /// the stanza's words are the plugin's, and none of the program's own.
    pub(crate) fn asking(&self, name: &str, text: impl FnOnce(&str) -> String) -> Result<PathBuf> {
        let stanza = self.exec("kubectl", &[]);
        let words = stanza["args"].as_array().cloned().unwrap_or_default();
        let words = words.iter().skip(1).filter_map(Value::as_str);
        let words: Vec<String> = words.map(|word| format!("'{word}'")).collect();
        let script = self.folder.join(format!("{name}.sh"));
        // The plugin's environment, and not its client's: what is told to be a plugin is none that asks.
        let told = self.exec_info_without_cluster();
        let command = format!(
            "env KUBERNETES_EXEC_INFO='{told}' kubectl-oidc_login {}",
            words.join(" ")
        );
        fs::write(&script, text(&command))?;
        Ok(script)
    }

    /// KUBERNETES_EXEC_INFO, as kubectl sets it for the person's own server.
    pub(crate) fn exec_info(&self) -> String {
        let mut cluster = self.own_server();
        cluster["config"] = Value::Null;
        exec_info(json!({ "interactive": false, "cluster": cluster }))
    }

    /// KUBERNETES_EXEC_INFO of a program that does not say which server it wants.
    pub(crate) fn exec_info_without_cluster(&self) -> String {
        exec_info(json!({ "interactive": false }))
    }

    /// The name of the account that is signed in.
    pub(crate) fn account(&self) -> Result<String> {
        let status = self.person.fob(&["status"])?;
        let label = status["accounts"][0]["label"].as_str();
        label
            .map(str::to_owned)
            .with_context(|| format!("{status:#}"))
    }

    /// Writes a file that somebody else made, and returns its path.
    pub(crate) fn hostile(&self, name: &str, kubeconfig: &Value) -> Result<String> {
        let path = self.folder.join(name);
        // YAML takes no control characters but as escapes.
        let escaped: String = kubeconfig
            .to_string()
            .encode_utf16()
            .map(|unit| match u8::try_from(unit) {
                Ok(byte) if byte.is_ascii() && byte != 0x7f => char::from(byte).to_string(),
                Ok(_) | Err(_) => format!("\\u{unit:04x}"),
            })
            .collect();
        fs::write(&path, escaped)?;
        Ok(path.display().to_string())
    }

    /// What kubectl says on such a file.
    pub(crate) fn run(&self, file: &str) -> Result<Said> {
        let arguments = [&["--kubeconfig", file], ONE_REQUEST].concat();
        self.person.kubectl(&arguments)
    }

    /// What the person's browser did so far.
    pub(crate) fn pages(&self) -> Result<Vec<Step>> {
        browser::read_log(&self.log)
    }

    /// The text of the page that is the `count`th to say this. kubectl may end before the browser
    /// has shown it.
    pub(crate) async fn page_with(&self, words: &str, count: usize) -> Result<String> {
        wait::up_to(LATEST)
            .every(Duration::from_millis(10))
            .until_async(&format!("page {count} with {words:?}"), async || {
                let pages = self.pages()?;
                let texts = pages.iter().filter_map(|step| step.text.as_ref());
                let mut saying = texts.filter(|text| text.contains(words));
                let found = saying.nth(count - 1).cloned();
                Ok(found.ok_or_else(|| format!("{pages:?}")))
            })
            .await
    }

    /// The texts of the questions that the browser showed.
    pub(crate) fn questions(&self) -> Result<Vec<String>> {
        let asked = self.pages()?.into_iter().filter_map(|step| {
            let asked = step.url.contains("/start/") && step.method == "GET";
            step.text.filter(|_| asked)
        });
        Ok(asked.collect())
    }

    /// Signs in on the provider's page as a browser does, and goes no further: the redirect's address.
    pub(crate) async fn signed_in_at(&self, address: &str) -> Result<Url> {
        let ca = reqwest::Certificate::from_pem(self.playground.ca_pem().as_bytes())?;
        let client = reqwest::Client::builder()
            .tls_certs_only([ca])
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let page = client.get(address).send().await?.error_for_status()?;
        let at = page.url().clone();
        let cookies: Vec<_> = page
            .headers()
            .get_all("set-cookie")
            .iter()
            .cloned()
            .collect();
        let cookies: Vec<_> = cookies
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
            .collect();
        let html = page.text().await?;
        let action = html
            .split_once("action=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        let (action, _) = action.context("no form")?;
        let sent = client
            .post(at.join(&action.replace("&amp;", "&"))?)
            .header("cookie", cookies.join("; "))
            .form(&[("username", "test"), ("password", "test")])
            .send()
            .await?;
        let location = sent.headers().get("location").context("no redirect")?;
        Ok(Url::parse(location.to_str()?)?)
    }

    /// How often the honest cluster was given credentials.
    pub(crate) fn served(&self) -> usize {
        let events = self.playground.log();
        let with = |event: &&playground::Event| {
            matches!(
                &event.what,
                What::Kubernetes {
                    authorization: Some(_),
                    ..
                }
            )
        };
        events.iter().filter(with).count()
    }
}

/// Somebody at a browser; in the playground the passwords are the names.
pub(crate) fn browser_of(user: &str, consent: &str) -> Settings {
    Settings {
        user: user.to_owned(),
        password: user.to_owned(),
        consent: consent.to_owned(),
        ..Settings::default()
    }
}

fn exec_info(spec: Value) -> String {
    json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "spec": spec,
    })
    .to_string()
}

/// A server by its address and authority.
pub(crate) fn server(url: &str, ca: &str) -> Value {
    json!({
        "server": url,
        "certificate-authority-data": base64::engine::general_purpose::STANDARD.encode(ca),
    })
}

/// The attacker's server, so that its TLS is no obstacle.
pub(crate) fn attackers(attacker: &AttackerApi) -> Value {
    server(attacker.url(), attacker.ca_pem())
}

/// An exec stanza that runs one of our programs with these flags of `get-token`.
pub(crate) fn exec(command: &str, flags: &[String]) -> Value {
    let verb: &[&str] = if command == "kubectl" {
        &["oidc-login", "get-token"]
    } else {
        &["get-token"]
    };
    let arguments: Vec<&str> = verb
        .iter()
        .copied()
        .chain(flags.iter().map(String::as_str))
        .collect();
    json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": command,
        "args": arguments,
        "interactiveMode": "IfAvailable",
    })
}
