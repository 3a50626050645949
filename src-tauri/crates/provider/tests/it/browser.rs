//! A browser as small as it can be: cookies by host, redirects, the meta refresh, forms.

use std::collections::BTreeMap;
use std::sync::Once;

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use url::Url;
use url::form_urlencoded;

/// A browser with a profile of its own.
#[derive(Clone)]
pub(crate) struct Browser {
    client: reqwest::Client,
    /// By host and name: ports don't matter to cookies.
    cookies: BTreeMap<(String, String), String>,
}

/// Where it ended up.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new(ca_pem: &str) -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let roots = reqwest::Certificate::from_pem_bundle(ca_pem.as_bytes()).unwrap();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_only(roots)
            .build()
            .unwrap();
        Self {
            client,
            cookies: BTreeMap::new(),
        }
    }

    /// Opens an address and follows wherever it leads by itself.
    pub(crate) async fn open(&mut self, address: &str) -> Page {
        self.travel(Url::parse(address).unwrap(), None).await
    }

    /// Opens one address and goes no further.
    pub(crate) async fn peek(&mut self, address: &str) -> Page {
        self.fetch(&Url::parse(address).unwrap(), None, &[]).await
    }

    /// Fills in the provider's form.
    pub(crate) async fn log_in(&mut self, page: &Page, user: &str, password: &str) -> Page {
        self.submit(
            page,
            &[("username", user), ("password", password), ("login", "1")],
        )
        .await
    }

    /// Presses a button of our question.
    pub(crate) async fn answer(&mut self, page: &Page, answer: &str, others: &[&str]) -> Page {
        let token = page.between("name=\"token\" value=\"", "\"");
        let mut fields = vec![("token", token.as_str()), ("answer", answer)];
        fields.extend(others.iter().map(|other| ("other", *other)));
        self.submit(page, &fields).await
    }

    /// Sends the page's form with these fields.
    pub(crate) async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let action = page.between("action=\"", "\"").replace("&amp;", "&");
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.travel(page.url.join(&action).unwrap(), Some(form))
            .await
    }

    /// One request, with headers of one's own.
    pub(crate) async fn fetch(
        &mut self,
        url: &Url,
        form: Option<String>,
        headers: &[(&'static str, &str)],
    ) -> Page {
        let host = url.host_str().unwrap().to_owned();
        let request = match form {
            None => self.client.get(url.clone()),
            Some(form) => self
                .client
                .post(url.clone())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form),
        };
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .filter(|((of, _), _)| *of == host)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let request = request.header(COOKIE, cookies.join("; "));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies
                .insert((host.clone(), name.to_owned()), value.to_owned());
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Page {
            url: url.clone(),
            status,
            headers,
            body: response.text().await.unwrap(),
        }
    }

    async fn travel(&mut self, mut url: Url, mut form: Option<String>) -> Page {
        for _ in 0..20 {
            let page = self.fetch(&url, form.take(), &[]).await;
            let onward = page
                .headers
                .get(LOCATION)
                .map(|at| at.to_str().unwrap().to_owned());
            let onward = onward.or_else(|| {
                page.body
                    .contains("http-equiv=\"refresh\"")
                    .then(|| page.between("content=\"0;url=", "\"").replace("&amp;", "&"))
            });
            match onward {
                Some(address) => url = url.join(&address).unwrap(),
                None => return page,
            }
        }
        panic!("it leads in circles: {url}");
    }
}

impl Page {
    pub(crate) fn between(&self, before: &str, after: &str) -> String {
        let rest = self.body.split_once(before);
        let (_, rest) = rest.unwrap_or_else(|| panic!("no {before} in {}", self.body));
        rest.split_once(after).unwrap().0.to_owned()
    }

    pub(crate) fn title(&self) -> String {
        self.between("<h1>", "</h1>")
    }
}
