//! Requests to a provider: one client per transaction, so that nothing stays open between two.
//! No redirects, a limit for every wait and every body, and faults told apart by whether the
//! request can have arrived.

use std::error::Error as _;
use std::time::Duration;

use broker::account::{ClientSettings, Proxies};
use broker::clock::Wall;
use broker::problem::Problem;
use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy, RequestBuilder};
use url::Url;

use crate::Clock;
use crate::address::is_loopback;
use crate::verify::span;

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);
const BODY: usize = 1024 * 1024;

/// Which certificate authorities a provider's certificate may come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    /// The contents of the account's own authorities, PEM; none: the system's store.
    pub ca_pem: Vec<Vec<u8>>,
    /// Whether the asker's environment names authorities (SSL_CERT_FILE), which we do not use:
    /// an error then says so.
    pub own_ca: bool,
}

/// A way to a provider, for one transaction.
pub(crate) struct Http<'a> {
    host: String,
    own_ca: bool,
    /// As the asker's environment says; where that is by a proxy, without one; and by the proxies of
    /// other askers.
    ways: Vec<Client>,
    clock: &'a Clock,
}

/// What came back, whatever its status.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) times: Times,
}

/// When a request went and its reply came, by both sides' clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When the request was sent, by our clock.
    pub sent: Wall,
    /// When its reply was there, by our clock.
    pub came: Wall,
    /// What the reply's `Date` says, in seconds.
    pub date: Option<i64>,
}

/// No reply.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The request was not sent.
    NotSent(Problem),
    /// It may have arrived, and no reply that can be read came back.
    NoReply {
        /// How that showed.
        reason: &'static str,
    },
}

impl<'a> Http<'a> {
    pub(crate) fn new(
        issuer: &Url,
        trusted: &Trusted,
        settings: &ClientSettings,
        clock: &'a Clock,
    ) -> Result<Self, Problem> {
        // A second installation is refused, and the first is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let roots = certificates(&trusted.ca_pem)?;
        let by = |proxies: &Proxies| {
            let proxies = chosen(proxies);
            let some = !proxies.is_empty() && !is_loopback(issuer);
            some.then(|| {
                proxies
                    .into_iter()
                    .fold(builder(&roots), ClientBuilder::proxy)
            })
        };
        let ways = by(&settings.proxies)
            .into_iter()
            .chain([builder(&roots)])
            .chain(settings.known_proxies.iter().filter_map(by))
            .map(ClientBuilder::build)
            .collect::<Result<_, _>>()
            .map_err(|error| unusable(&error))?;
        Ok(Self {
            host: host(issuer),
            own_ca: trusted.own_ca,
            ways,
            clock,
        })
    }

    /// The provider's host, for texts.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) async fn get(&self, url: &Url) -> Result<Reply, Fault> {
        self.send(|client| client.get(url.clone())).await
    }

    pub(crate) async fn post(
        &self,
        url: &Url,
        authorization: Option<&str>,
        form: &[(&str, &str)],
    ) -> Result<Reply, Fault> {
        self.send(|client| {
            let request = client.post(url.clone()).form(form);
            match authorization {
                Some(value) => request.header("authorization", value),
                None => request,
            }
        })
        .await
    }

    /// What a fault means where the request had no consequences.
    pub(crate) fn unreachable(&self, fault: Fault) -> Problem {
        match fault {
            Fault::NotSent(problem) => problem,
            Fault::NoReply { reason } => self.unreached(reason.to_owned()),
        }
    }

    pub(crate) fn unreached(&self, reason: String) -> Problem {
        let host = self.host.clone();
        Problem::Unreachable { host, reason }
    }

    /// A reply by which the provider says that it can't just now.
    pub(crate) fn fault_of_its_own(&self, status: u16) -> Option<Problem> {
        (status >= 500 || status == 429).then(|| {
            let host = self.host.clone();
            let answer = format!("HTTP {status}");
            Problem::ProviderFault { host, answer }
        })
    }

    async fn send(&self, request: impl Fn(&Client) -> RequestBuilder) -> Result<Reply, Fault> {
        let mut fault = Fault::NoReply {
            reason: "nothing was tried",
        };
        for client in &self.ways {
            let sent = (self.clock)();
            match exchange(request(client)).await {
                Ok((status, date, body)) => {
                    let times = Times {
                        sent,
                        came: (self.clock)(),
                        date,
                    };
                    return Ok(Reply {
                        status,
                        body,
                        times,
                    });
                }
                Err(Lost::Unconnected(reason)) => {
                    fault = Fault::NotSent(self.unreached(reason));
                }
                Err(Lost::Untrusted(reason)) => {
                    let host = self.host.clone();
                    let problem = Problem::TlsFailed { host, reason };
                    return Err(Fault::NotSent(if self.own_ca {
                        problem.with_own_ca()
                    } else {
                        problem
                    }));
                }
                Err(Lost::Afterwards(reason)) => return Err(Fault::NoReply { reason }),
            }
        }
        Err(fault)
    }
}

enum Lost {
    Unconnected(String),
    Untrusted(String),
    Afterwards(&'static str),
}

async fn exchange(request: RequestBuilder) -> Result<(u16, Option<i64>, Vec<u8>), Lost> {
    let mut response = request.send().await.map_err(|error| lost(&error))?;
    let date = response
        .headers()
        .get("date")
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_secs()).ok());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        if body.len() + chunk.len() > BODY {
            return Err(Lost::Afterwards("its reply is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.status().as_u16(), date, body))
}

fn lost(error: &reqwest::Error) -> Lost {
    if let Some(tls) = tls_error(error) {
        return Lost::Untrusted(tls);
    }
    if error.is_connect() {
        return Lost::Unconnected(unconnected(error));
    }
    Lost::Afterwards(if error.is_timeout() {
        "it did not answer in time"
    } else {
        "the connection broke"
    })
}

/// Why TLS failed, if it did.
fn tls_error(error: &reqwest::Error) -> Option<String> {
    use rustls::{CertificateError as Certificate, Error};
    let tls = causes(error).find_map(|cause| cause.downcast_ref::<Error>())?;
    let Error::InvalidCertificate(flaw) = tls else {
        return Some(tls.to_string());
    };
    // These two say how far off the clock is that they were held against: ours.
    if let Certificate::ExpiredContext { time, not_after } = flaw {
        let off = span(time.as_secs().abs_diff(not_after.as_secs()));
        return Some(format!("by this computer's clock it expired {off} ago"));
    }
    if let Certificate::NotValidYetContext { time, not_before } = flaw {
        let off = span(time.as_secs().abs_diff(not_before.as_secs()));
        return Some(format!(
            "by this computer's clock it begins to be valid in {off}; check that clock"
        ));
    }
    let known = [
        (
            matches!(flaw, Certificate::UnknownIssuer),
            "an unknown authority signed it",
        ),
        (matches!(flaw, Certificate::Expired), "it has expired"),
        (
            matches!(flaw, Certificate::NotValidYet),
            "it is not valid yet; check this computer's clock",
        ),
        (
            matches!(
                flaw,
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. }
            ),
            "it is for another name",
        ),
    ];
    let known = known.iter().find(|(fits, _)| *fits);
    Some(known.map_or_else(|| tls.to_string(), |(_, words)| (*words).to_owned()))
}

/// Why no connection came about, in the system's own words and without our library's.
fn unconnected(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".into();
    }
    causes(error).last().map_or_else(
        || "no connection".into(),
        |cause| cause.to_string().to_lowercase(),
    )
}

/// What lies below an error, the errors that an I/O error wraps among it: its own `source` leaves
/// those out.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause| {
        match cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped),
            None => (*cause).source(),
        }
    })
}

fn builder(roots: &[Certificate]) -> ClientBuilder {
    let builder = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .user_agent(concat!("kubefob/", env!("CARGO_PKG_VERSION")));
    if roots.is_empty() {
        builder
    } else {
        builder.tls_certs_only(roots.iter().cloned())
    }
}

fn certificates(bundles: &[Vec<u8>]) -> Result<Vec<Certificate>, Problem> {
    let mut roots = Vec::new();
    for pem in bundles {
        let found = Certificate::from_pem_bundle(pem)
            .ok()
            .filter(|found| !found.is_empty())
            .ok_or_else(|| bad_authority("there is no PEM certificate in it"))?;
        roots.extend(found);
    }
    Ok(roots)
}

fn unusable(error: &reqwest::Error) -> Problem {
    bad_authority(
        &causes(error)
            .last()
            .map_or_else(|| error.to_string(), ToString::to_string),
    )
}

fn bad_authority(reason: &str) -> Problem {
    let path = "--certificate-authority".to_owned();
    Problem::BadFile {
        path,
        reason: reason.to_owned(),
    }
}

/// The asker's proxies. One whose address can't be read is left out: the direct way remains.
fn chosen(proxies: &Proxies) -> Vec<Proxy> {
    let except = proxies.no.as_deref().and_then(NoProxy::from_string);
    let https = proxies.https.as_deref().map(Proxy::https);
    let http = proxies.http.as_deref().map(Proxy::http);
    let all = proxies.all.as_deref().map(Proxy::all);
    [https, http, all]
        .into_iter()
        .flatten()
        .filter_map(|proxy| {
            proxy
                .inspect_err(|_| tracing::warn!("a proxy's address can't be read"))
                .ok()
        })
        .map(|proxy| proxy.no_proxy(except.clone()))
        .collect()
}

fn host(issuer: &Url) -> String {
    let host = issuer.host_str().unwrap_or_default();
    issuer
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
