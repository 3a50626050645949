//! A browser that a script drives: it follows redirects, keeps cookies, fills in whichever login
//! form it meets, and answers Kubefob's own question.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Method, redirect};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::browser_cookies::{Jar, site};
use crate::browser_page::{Form, Page};

/// Who sits there. Each field's variable is SCRIPTED_BROWSER_ and its name.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The authority that it trusts, beside nobody else; without one, plain HTTP alone works.
    pub ca: Option<PathBuf>,
    /// Who signs in.
    pub user: String,
    /// By what.
    pub password: String,
    /// The button of Kubefob's question that is pressed: `once`, `container`, `always` or `no`; [`LEAVE`]
    /// presses none.
    pub consent: String,
    /// What it says in Accept-Language.
    pub language: String,
    /// Where each step is appended as a line of JSON.
    pub log: Option<PathBuf>,
    /// The file that keeps the cookies between one start and the next, as a person's browser
    /// does; without one, each start knows nobody.
    pub profile: Option<PathBuf>,
}

/// The consent of somebody who looks at Kubefob's question and does nothing.
pub const LEAVE: &str = "leave";

/// One answer that it got. The values of a query are left out, but for those that say what went on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Step {
    /// What was asked for.
    pub url: String,
    /// How.
    pub method: String,
    /// The answer's status.
    pub status: u16,
    /// The page's title.
    pub title: String,
    /// The whole text, where it is the page that it ended on, or Kubefob's question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Settings {
    /// As the scripted browser's variables say.
    pub fn from_environment() -> Self {
        let variable = |name: &str| env::var(format!("SCRIPTED_BROWSER_{name}")).ok();
        Self {
            ca: variable("CA").map(PathBuf::from),
            user: variable("USER").unwrap_or_default(),
            password: variable("PASSWORD").unwrap_or_default(),
            consent: variable("CONSENT").unwrap_or_else(|| "always".to_owned()),
            language: variable("LANGUAGE").unwrap_or_else(|| "en".to_owned()),
            log: variable("LOG").map(PathBuf::from),
            profile: variable("PROFILE").map(PathBuf::from),
        }
    }

    /// Writes a script that starts `program`, the scripted browser, with these settings: for
    /// whoever starts a browser without handing its environment on.
    pub fn launcher(&self, program: &Path, script: &Path) -> Result<()> {
        let mut text = "#!/bin/sh\n".to_owned();
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let variables = [
            ("CA", path(&self.ca)),
            ("USER", Some(self.user.clone())),
            ("PASSWORD", Some(self.password.clone())),
            (
                "CONSENT",
                Some(self.consent.clone()).filter(|answer| !answer.is_empty()),
            ),
            (
                "LANGUAGE",
                Some(self.language.clone()).filter(|language| !language.is_empty()),
            ),
            ("LOG", path(&self.log)),
            ("PROFILE", path(&self.profile)),
        ];
        for (name, value) in variables {
            if let Some(value) = value {
                text.push_str(&format!(
                    "export SCRIPTED_BROWSER_{name}={}\n",
                    quoted(&value)
                ));
            }
        }
        text.push_str(&format!(
            "exec {} \"$@\"\n",
            quoted(&program.display().to_string())
        ));
        fs::write(script, text).with_context(|| format!("can't write {}", script.display()))?;
        fs::set_permissions(script, fs::Permissions::from_mode(0o700))?;
        Ok(())
    }
}

/// The steps that a scripted browser's log holds; none if it was never started.
pub fn read_log(log: &Path) -> Result<Vec<Step>> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

/// A profile: its cookies stay from one address that is opened to the next.
pub struct Browser {
    settings: Settings,
    client: reqwest::Client,
    jar: Jar,
}

impl Browser {
    /// One with the cookies of its profile, if that has any.
    pub fn new(settings: Settings) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authorities = match &settings.ca {
            Some(path) => reqwest::Certificate::from_pem_bundle(&fs::read(path)?)?,
            None => Vec::new(),
        };
        let client = reqwest::Client::builder()
            .tls_certs_only(authorities)
            .no_proxy()
            .redirect(redirect::Policy::none())
            // As long as a page may think about a sign-in.
            .timeout(Duration::from_secs(60))
            .user_agent("Mozilla/5.0 (scripted)")
            .build()?;
        let kept = settings.profile.as_ref().map(fs::read_to_string);
        let jar = match kept {
            Some(Ok(kept)) => serde_json::from_str(&kept)?,
            Some(Err(_)) | None => Jar::default(),
        };
        Ok(Self {
            settings,
            client,
            jar,
        })
    }

    /// Opens an address as a click in another program does, and goes on until a page has nothing
    /// to fill in: that page's step.
    pub async fn open(&mut self, address: &str) -> Result<Step> {
        let mut next = Navigation::opened(Url::parse(address)?);
        let mut signed_in = false;
        for _ in 0..40 {
            let (mut step, after) = self.go(&next).await?;
            let page = match after {
                After::Redirect(following) => {
                    self.note(&step)?;
                    next = following;
                    continue;
                }
                After::Page(page) => page,
            };
            match self.act(&next.url, &page)? {
                Act::SignIn(_) if signed_in => {
                    step.text = Some(page.text);
                    self.note(&step)?;
                    bail!("the login page came again: wrong credentials?");
                }
                Act::SignIn(following) => {
                    signed_in = true;
                    next = following;
                }
                Act::Answer(following) => {
                    step.text = Some(page.text);
                    next = following;
                }
                Act::Wait(seconds, following) => {
                    tokio::time::sleep(Duration::from_secs(seconds.min(2))).await;
                    next = following;
                }
                Act::End => {
                    step.text = Some(page.text);
                    self.note(&step)?;
                    return Ok(step);
                }
            }
            self.note(&step)?;
        }
        bail!("no end after 40 steps")
    }

    async fn go(&mut self, to: &Navigation) -> Result<(Step, After)> {
        let method = if to.form.is_some() {
            Method::POST
        } else {
            Method::GET
        };
        let mut request = self
            .client
            .request(method.clone(), to.url.clone())
            .header("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
            .header("accept-language", &self.settings.language)
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", to.relation());
        let initiator = to.initiator.as_ref();
        if let Some(cookies) = self.jar.header(&to.url, initiator, to.form.is_some()) {
            request = request.header("cookie", cookies);
        }
        if let Some(form) = &to.form {
            let origin = initiator.map_or("null".to_owned(), |page| {
                page.origin().ascii_serialization()
            });
            request = request.header("origin", origin).form(form);
        }
        let shown = without_secrets(&to.url);
        let answer = request
            .send()
            .await
            // Its text has the whole address in it.
            .map_err(reqwest::Error::without_url)
            .with_context(|| format!("{method} {shown}"))?;
        self.jar.keep(&to.url, answer.headers());
        if let Some(profile) = &self.settings.profile {
            // Whole at any time: another of this person's may be reading it.
            let made = profile.with_extension(std::process::id().to_string());
            fs::write(&made, serde_json::to_vec(&self.jar)?)?;
            fs::rename(made, profile)?;
        }
        let status = answer.status();
        let mut step = Step {
            url: shown,
            method: method.to_string(),
            status: status.as_u16(),
            title: String::new(),
            text: None,
        };
        if status.is_redirection()
            && let Some(location) = answer.headers().get("location")
        {
            let url = to.url.join(location.to_str()?)?;
            ensure!(
                matches!(url.scheme(), "http" | "https"),
                "a redirect to {}:",
                url.scheme()
            );
            // 307 and 308 repeat the request as it was.
            let form = to
                .form
                .clone()
                .filter(|_| matches!(status.as_u16(), 307 | 308));
            let following = Navigation {
                url,
                form,
                initiator: to.initiator.clone(),
            };
            return Ok((step, After::Redirect(following)));
        }
        let page = Page::parse(&answer.text().await?);
        step.title.clone_from(&page.title);
        Ok((step, After::Page(page)))
    }

    /// What a person would do with this page.
    fn act(&self, url: &Url, page: &Page) -> Result<Act> {
        for form in &page.forms {
            if let Some(password) = form.field(&["password"]) {
                let user = form
                    .field(&["text", "email"])
                    .map(|field| field.name.clone());
                let mut values = form.kept();
                for (name, value) in &mut values {
                    if *name == password.name {
                        value.clone_from(&self.settings.password);
                    } else if Some(&*name) == user.as_ref() {
                        value.clone_from(&self.settings.user);
                    }
                }
                let button = form
                    .buttons()
                    .next()
                    .map(|button| (&button.name, &button.value));
                return Ok(Act::SignIn(submitted(url, form, values, button)?));
            }
            let mut answers = form
                .buttons()
                .filter(|button| button.name == "answer")
                .peekable();
            if answers.peek().is_some() && self.settings.consent == LEAVE {
                return Ok(Act::End);
            }
            if answers.peek().is_some() {
                let answer = answers
                    .find(|button| button.value == self.settings.consent)
                    .with_context(|| format!("no button `{}` here", self.settings.consent))?;
                let pressed = Some((&answer.name, &answer.value));
                return Ok(Act::Answer(submitted(url, form, form.kept(), pressed)?));
            }
        }
        match &page.refresh {
            Some((seconds, target)) => {
                let target = if target.is_empty() {
                    url.clone()
                } else {
                    url.join(target)?
                };
                Ok(Act::Wait(*seconds, Navigation::by(url, target, None)))
            }
            None => Ok(Act::End),
        }
    }

    fn note(&self, step: &Step) -> Result<()> {
        let Some(log) = &self.settings.log else {
            return Ok(());
        };
        let line = format!("{}\n", serde_json::to_string(step)?);
        // One write: several browsers may share a log.
        File::options()
            .create(true)
            .append(true)
            .open(log)?
            .write_all(line.as_bytes())?;
        Ok(())
    }
}

#[derive(Debug)]
struct Navigation {
    url: Url,
    /// A POST's fields.
    form: Option<Vec<(String, String)>>,
    /// The page that it began on; none where the address was opened from outside.
    initiator: Option<Url>,
}

enum After {
    Redirect(Navigation),
    Page(Page),
}

enum Act {
    SignIn(Navigation),
    Answer(Navigation),
    Wait(u64, Navigation),
    End,
}

impl Navigation {
    fn opened(url: Url) -> Self {
        Self {
            url,
            form: None,
            initiator: None,
        }
    }

    fn by(page: &Url, url: Url, form: Option<Vec<(String, String)>>) -> Self {
        Self {
            url,
            form,
            initiator: Some(page.clone()),
        }
    }

    /// What Sec-Fetch-Site says.
    fn relation(&self) -> &'static str {
        match &self.initiator {
            None => "none",
            Some(page) if page.origin() == self.url.origin() => "same-origin",
            Some(page) if site(page) == site(&self.url) => "same-site",
            Some(_) => "cross-site",
        }
    }
}

fn submitted(
    page: &Url,
    form: &Form,
    mut values: Vec<(String, String)>,
    button: Option<(&String, &String)>,
) -> Result<Navigation> {
    if let Some((name, value)) = button.filter(|(name, _)| !name.is_empty()) {
        values.push((name.clone(), value.clone()));
    }
    let mut url = if form.action.is_empty() {
        page.clone()
    } else {
        page.join(&form.action)?
    };
    if form.post {
        return Ok(Navigation::by(page, url, Some(values)));
    }
    url.query_pairs_mut().clear().extend_pairs(values);
    Ok(Navigation::by(page, url, None))
}

/// The address with the values of its query left out, but for those that are no secret and say
/// what was asked for or went wrong.
fn without_secrets(url: &Url) -> String {
    const SHOWN: [&str; 9] = [
        "client_id",
        "code_challenge_method",
        "error",
        "error_description",
        "iss",
        "prompt",
        "redirect_uri",
        "response_type",
        "scope",
    ];
    let mut shown = url.clone();
    if url.query().is_some() {
        shown
            .query_pairs_mut()
            .clear()
            .extend_pairs(url.query_pairs().map(|(name, value)| {
                let value = if SHOWN.contains(&&*name) {
                    value
                } else {
                    "...".into()
                };
                (name, value)
            }));
    }
    shown.into()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{quoted, without_secrets};
    use url::Url;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        let url =
            Url::parse("http://localhost:8000/?state=s&code=c&iss=https%3A%2F%2Fidp").unwrap();
        let shown = "http://localhost:8000/?state=...&code=...&iss=https%3A%2F%2Fidp";
        assert_eq!(without_secrets(&url), shown);
    }

    #[test]
    fn a_shell_reads_it_back() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
