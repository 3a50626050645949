//! Threat 5: the resident's first start, with everything hostile around it.

use std::fs;
use std::net::TcpListener;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::scene::{Scene, Seat};
use crate::table::Table;

/// In every hostile value.
const MARK: &str = "hostile-7f3a";

/// The shim starts the resident, and `exec.env` or the shell that kubectl runs in would poison it.
pub(crate) async fn cold_start(table: &Table) -> Result<()> {
    for by_file in [true, false] {
        let mut scene = Scene::set(Seat::default()).await?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let touched = scene.folder.join(format!("{MARK}-touched"));
        let path = |name: &str| {
            scene
                .folder
                .join(format!("{MARK}-{name}"))
                .display()
                .to_string()
        };
        let mut variables = vec![
            ("LD_PRELOAD", path("preload.so")),
            ("LD_LIBRARY_PATH", path("libraries")),
            ("LD_AUDIT", path("audit.so")),
            ("RUST_LOG", format!("trace,{MARK}=trace")),
            ("RUST_BACKTRACE", format!("full-{MARK}")),
            ("SSL_CERT_FILE", path("authorities.pem")),
            ("SSL_CERT_DIR", path("authorities")),
            ("XDG_RUNTIME_DIR", path("runtime")),
            ("XDG_DATA_HOME", path("data")),
            ("XDG_CONFIG_HOME", path("config")),
            ("XDG_CACHE_HOME", path("cache")),
            ("GTK_MODULES", path("module")),
            (
                "WEBKIT_INSPECTOR_SERVER",
                format!("127.0.0.1:{port}/{MARK}"),
            ),
            ("TAURI_WEBVIEW_AUTOMATION", MARK.to_owned()),
            ("BROWSER", format!("touch {}", touched.display())),
            ("MALLOC_CONF", MARK.to_owned()),
            ("TMPDIR", path("temporary")),
        ];
        let buses = [
            format!("tcp:host=127.0.0.1,port={port},guid={MARK}"),
            format!("unixexec:path=/bin/touch,argv1={}", touched.display()),
        ];
        variables.push((
            "DBUS_SESSION_BUS_ADDRESS",
            buses[usize::from(by_file)].clone(),
        ));
        let what = if by_file {
            // The person's own environment says these, so a file must not.
            for (name, value) in [
                ("HOME", path("home")),
                ("KUBEFOB_HOME", path("instance")),
                ("KUBEFOB_PERSON_HOME", path("home")),
                ("KUBECONFIG", path("kubeconfig")),
                ("DISPLAY", format!("{MARK}.example:0")),
                ("HTTPS_PROXY", format!("http://{MARK}@127.0.0.1:{port}")),
                ("ALL_PROXY", format!("http://{MARK}@127.0.0.1:{port}")),
                ("PATH", format!("{}:/usr/bin:/bin", path("programs"))),
            ] {
                variables.push((name, value));
            }
            let env: Vec<_> = variables
                .iter()
                .map(|(name, value)| json!({ "name": name, "value": value }))
                .collect();
            // By its own name: of `kubectl` as a command, PATH would decide which one it is.
            let mut stanza = scene.exec("kubectl-oidc_login", &[]);
            stanza["env"] = env.into();
            let own = scene.kubeconfig(&[("own", scene.own_server())], stanza);
            scene.person.kubeconfig(&own.to_string())?;
            "exec.env"
        } else {
            for (name, value) in &variables {
                scene.person.variable(name, value);
            }
            "the shell's environment"
        };
        scene.works("with all that set")?;
        let resident = scene.person.resident().context("no resident")?;
        let environment = fs::read(format!("/proc/{resident}/environ"))?;
        let environment = String::from_utf8_lossy(&environment).into_owned();
        ensure!(!environment.contains(MARK), "{what}: {environment:?}");
        ensure!(
            environment.contains("HOME="),
            "it has one at all: {environment:?}"
        );
        let maps = fs::read_to_string(format!("/proc/{resident}/maps"))?;
        ensure!(!maps.contains(MARK), "{what}: {maps}");
        ensure!(
            listener.accept().is_err(),
            "{what}: somebody connected to the attacker"
        );
        ensure!(!touched.exists(), "{what}: a command was run");
        let log = scene.person.log();
        ensure!(
            !log.contains(MARK) && !log.contains("TRACE") && !log.contains("DEBUG"),
            "{what}: {log}"
        );
        let left: Vec<_> = fs::read_dir(&scene.folder)?
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().contains(MARK))
            .collect();
        ensure!(left.is_empty(), "{what}: {left:?}");
        table.row(
            5,
            format!(
                "a cold start with {} hostile variables in {what}",
                variables.len()
            ),
            "none reached the resident: environment, libraries, traffic and log are clean",
        );
    }
    Ok(())
}
