//! Ways to a provider: the asker's proxies, and the direct one where they fail.

use std::sync::{Arc, Mutex};

use broker::account::Proxies;
use broker::problem::Code;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::setting::Setting;

/// A proxy that leads every tunnel to one port of this computer, or nowhere, and notes what for.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start(target: Option<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(tunnel(stream, target, Arc::clone(&noted)));
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn tunnel(mut stream: TcpStream, target: Option<u16>, asked: Arc<Mutex<Vec<String>>>) {
    let mut first = [0; 1];
    if stream.read_exact(&mut first).await.is_err() {
        return;
    }
    let opened: &[u8] = if first == [5] {
        // SOCKS5: no authentication, connect to a name.
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting).await.unwrap();
        stream.write_all(&[5, 0]).await.unwrap();
        let mut request = vec![0; 256];
        let read = stream.read(&mut request).await.unwrap();
        let name = String::from_utf8_lossy(&request[5..read - 2]).into_owned();
        asked.lock().unwrap().push(format!("socks {name}"));
        &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    } else {
        let mut head = first.to_vec();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let line = String::from_utf8_lossy(&head)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        asked.lock().unwrap().push(line);
        b"HTTP/1.1 200 OK\r\n\r\n"
    };
    let Some(target) = target else {
        let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").await;
        return;
    };
    stream.write_all(opened).await.unwrap();
    let mut further = TcpStream::connect(("127.0.0.1", target)).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut further).await;
}

/// What comes of looking at `https://sso.example.test` by these proxies.
async fn reach(setting: &Setting, proxies: Proxies) -> Code {
    reach_by(setting, proxies, Vec::new()).await
}

async fn reach_by(setting: &Setting, proxies: Proxies, known: Vec<Proxies>) -> Code {
    let mut request = setting.request.clone();
    request.key.issuer = "https://sso.example.test".into();
    request.settings.proxies = proxies;
    request.settings.known_proxies = known;
    let clock = crate::setting::clock();
    let mut listening = provider::listen(request, setting.trusted.clone(), clock)
        .await
        .unwrap();
    listening.reach().await.unwrap_err().code()
}

#[tokio::test]
async fn the_asker_s_proxy_is_used_and_a_dead_one_gone_around() {
    let setting = Setting::new().await;
    let port = url::Url::parse(setting.playground.issuer()).unwrap().port();
    let connect = "CONNECT sso.example.test:443 HTTP/1.1";
    let at = |scheme: &str, proxy: &Proxy| Some(format!("{scheme}://127.0.0.1:{}", proxy.port));

    // It leads to a server that is somebody else: TLS says so.
    let proxy = Proxy::start(port).await;
    let https = Proxies {
        https: at("http", &proxy),
        ..Proxies::default()
    };
    assert_eq!(reach(&setting, https.clone()).await, Code::TlsFailed);
    assert_eq!(proxy.asked(), [connect]);
    let except = Proxies {
        no: Some("other.test,.example.test".into()),
        ..https
    };
    assert_eq!(reach(&setting, except).await, Code::Unreachable);
    assert_eq!(proxy.asked().len(), 1, "NO_PROXY");
    let http = Proxies {
        http: at("http", &proxy),
        ..Proxies::default()
    };
    assert_eq!(reach(&setting, http).await, Code::Unreachable);
    assert_eq!(proxy.asked().len(), 1, "HTTP_PROXY is not for https");

    let proxy = Proxy::start(port).await;
    let all = Proxies {
        all: at("socks5h", &proxy),
        ..Proxies::default()
    };
    assert_eq!(reach(&setting, all).await, Code::TlsFailed);
    assert_eq!(proxy.asked(), ["socks sso.example.test"]);

    let dead = Proxy::start(None).await;
    let https = Proxies {
        https: at("http", &dead),
        ..Proxies::default()
    };
    assert_eq!(reach(&setting, https).await, Code::Unreachable);
    assert_eq!(dead.asked(), [connect], "once");
    for odd in ["", "::", "http://", "socks9://127.0.0.1"] {
        let odd = Proxies {
            https: Some(odd.into()),
            ..Proxies::default()
        };
        assert_eq!(reach(&setting, odd).await, Code::Unreachable);
    }
}

#[tokio::test]
async fn another_asker_s_proxy_is_tried_where_nothing_else_leads_there() {
    let setting = Setting::new().await;
    let port = url::Url::parse(setting.playground.issuer()).unwrap().port();
    let by = |proxy: &Proxy| Proxies {
        https: Some(format!("http://127.0.0.1:{}", proxy.port)),
        ..Proxies::default()
    };
    let (dead, good) = (Proxy::start(None).await, Proxy::start(port).await);
    // As above: that TLS fails shows that somebody was reached.
    let reached = reach_by(&setting, Proxies::default(), vec![by(&dead), by(&good)]).await;
    assert_eq!(reached, Code::TlsFailed);
    assert_eq!((dead.asked().len(), good.asked().len()), (1, 1));
    let unused = Proxy::start(port).await;
    let reached = reach_by(&setting, by(&good), vec![by(&unused)]).await;
    assert_eq!(reached, Code::TlsFailed);
    assert_eq!(
        unused.asked(),
        Vec::<String>::new(),
        "the asker's own leads there"
    );
}

#[tokio::test]
async fn a_provider_on_this_computer_is_reached_directly() {
    let mut setting = Setting::new().await;
    let proxy = Proxy::start(None).await;
    let address = Some(format!("http://127.0.0.1:{}", proxy.port));
    setting.request.settings.proxies = Proxies {
        https: address,
        ..Proxies::default()
    };
    setting.signed_in().await;
    assert_eq!(proxy.asked(), Vec::<String>::new());
}
