//! Threats 9 and 30: our own places where numbers, bits or names hide whose they are. A user namespace shows everybody
//! without a number as one user, an access list shows as the group's bits, and a link may stand anywhere.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use world::parts::{self, Missing};
use world::person::Said;
use world::user::Other;

use crate::own_files::{Ends, end, in_time};
use crate::table::Table;

/// A user namespace that has this person's own number, as a sandbox makes it (bwrap, Flatpak).
const SANDBOX: &[&str] = &["unshare", "--user", "--map-current-user"];

/// Two that show this person as everybody else.
const NOBODY: [&[&str]; 2] = [
    &["unshare", "--user"],
    &["unshare", "--user", "--map-user=65534", "--map-group=65534"],
];

/// Another user listens where this person would look, or presses the button, or finishes the sign-in: where the system
/// shows both as one, neither asks the other, and nobody begins to serve.
pub(crate) async fn one_number(table: &Table) -> Result<()> {
    let lodging = Lodging::new()?;
    let _ends = Ends(&lodging.program);
    lodging.can(SANDBOX)?;
    let own = lodging.folder("fob", lodging.person)?;
    ensure!(lodging.status(&[], &own)?.ok, "control: outside");
    ensure!(lodging.status(SANDBOX, &own)?.ok, "control: in a sandbox");
    let theirs = lodging.folder("theirs", lodging.other)?;
    fs::set_permissions(&theirs, fs::Permissions::from_mode(0o755))?;
    let listener = lodging.other.does(|| -> Result<UnixListener> {
        let listener = UnixListener::bind(theirs.join("socket"))?;
        fs::set_permissions(theirs.join("socket"), fs::Permissions::from_mode(0o777))?;
        Ok(listener)
    })??;
    listener.set_nonblocking(true)?;
    for namespace in NOBODY {
        lodging.can(namespace)?;
        for (what, folder) in [("theirs", &theirs), ("our own", &own)] {
            let said = lodging.status(namespace, folder)?;
            ensure!(
                !said.ok && said.err.contains("is you and every other user"),
                "{namespace:?}, {what}: {said:?}"
            );
        }
    }
    let mut recorded = Vec::new();
    while let Ok((mut stream, _)) = listener.accept() {
        stream.read_to_end(&mut recorded)?;
    }
    ensure!(recorded.is_empty(), "{} bytes", recorded.len());
    end(&lodging.program);
    fs::remove_file(own.join("socket"))?;
    ensure!(!lodging.status(NOBODY[0], &own)?.ok);
    ensure!(!own.join("socket").exists(), "a resident was started");
    table.row(
        9,
        "a user namespace shows this person and every other user by one number",
        "0 bytes to another's socket, and no resident: refused, with what to do (control: a sandbox with the person's number)",
    );
    Ok(())
}

/// What an access list gives to another user is not the person's alone, whatever the group's bits look like.
pub(crate) async fn access_lists(table: &Table) -> Result<()> {
    let lodging = Lodging::new()?;
    let _ends = Ends(&lodging.program);
    let team = lodging.folder("team", Other(0))?;
    fs::set_permissions(&team, fs::Permissions::from_mode(0o755))?;
    let own = lodging.folder("team/fob", lodging.person)?;
    let config = lodging.folder("team/fob/config", lodging.person)?;
    let settings = config.join("settings.json");
    fs::write(&settings, r#"{"version": 1, "keep": "plain"}"#)?;
    chown(&settings, Some(lodging.person.0), Some(lodging.person.0))?;
    fs::set_permissions(&settings, fs::Permissions::from_mode(0o664))?;
    let said = lodging.status(&[], &own)?;
    ensure!(
        said.ok && !said.out.contains("bad-settings"),
        "control: the person's own group: {said:?}"
    );
    end(&lodging.program);
    lodging.admit(&settings, 6)?;
    let said = lodging.status(&[], &own)?;
    ensure!(said.ok && said.out.contains("bad-settings"), "{said:?}");
    table.row(
        30,
        "settings.json that an access list lets another user write",
        "not read: the defaults hold, and status says bad-settings (control: the person's own group may)",
    );
    end(&lodging.program);
    lodging.admit(&team, 7)?;
    let said = lodging.status(&[], &own)?;
    ensure!(
        !said.ok && said.err.contains("others may rename"),
        "{said:?}"
    );
    let moved = |from: &Path| fs::rename(from, team.join("gone")).is_ok();
    ensure!(lodging.other.does(|| moved(&own))?, "the other user could");
    table.row(
        9,
        "a folder of root's above KUBEFOB_HOME in which an access list lets another user rename",
        "refused by name",
    );
    Ok(())
}

/// Where a link stands that another one leads to, and whose a folder is that a sandbox shows as nobody's.
pub(crate) async fn ways(table: &Table) -> Result<()> {
    let lodging = Lodging::new()?;
    let _ends = Ends(&lodging.program);
    let home = lodging.folder("home", lodging.person)?;
    let own = lodging.folder("home/fob", lodging.person)?;
    let open = lodging.folder("open", lodging.other)?;
    fs::set_permissions(&open, fs::Permissions::from_mode(0o1777))?;
    let link = |from: &Path, to: &Path| lodging.person.does(|| symlink(to, from));
    // `open` is neither in the way as it is written nor in where it leads.
    link(&open.join("second"), &home)??;
    link(&home.join("first"), &open.join("second"))??;
    link(&home.join("straight"), &home)??;
    ensure!(
        lodging.status(&[], &home.join("straight/fob"))?.ok,
        "control: a link of the person's own"
    );
    let said = lodging.status(&[], &home.join("first/fob"))?;
    ensure!(!said.ok && said.err.contains("belongs to"), "{said:?}");
    table.row(
        9,
        "KUBEFOB_HOME by a link to a link in another user's folder",
        "refused by name (control: a link of the person's own)",
    );

    lodging.can(SANDBOX)?;
    ensure!(
        lodging.status(SANDBOX, &own)?.ok,
        "control: a sandbox that hides root asks a resident outside"
    );
    end(&lodging.program);
    let theirs = lodging.folder("open/fob", lodging.person)?;
    let outside = lodging.status(&[], &theirs)?;
    ensure!(!outside.ok, "control: outside {outside:?}");
    let said = lodging.status(SANDBOX, &theirs)?;
    ensure!(!said.ok && said.err.contains("user namespace"), "{said:?}");
    table.row(
        9,
        "KUBEFOB_HOME in another user's folder, in a sandbox that hides whose it is",
        "no resident: refused by name, with what to do (control: a resident outside is asked)",
    );
    Ok(())
}

/// A person and another user, neither of them root, with our programs in a folder that everybody may read.
struct Lodging {
    folder: TempDir,
    program: PathBuf,
    person: Other,
    other: Other,
}

impl Lodging {
    fn new() -> Result<Self> {
        let person = Other::somebody()?;
        let folder = tempfile::Builder::new().prefix("kubefob-at-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        for name in ["kubefob", "kubectl-fob"] {
            fs::copy(parts::program(name)?, folder.path().join(name))?;
        }
        Ok(Self {
            program: folder.path().join("kubefob"),
            folder,
            person,
            other: Other(person.0 + 1),
        })
    }

    /// A folder of somebody's.
    fn folder(&self, name: &str, whose: Other) -> Result<PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        chown(&folder, Some(whose.0), Some(whose.0))?;
        Ok(folder)
    }

    /// Lets the other user write a file (6) or a folder (7), by an access list (acl(5)).
    fn admit(&self, path: &Path, rights: u16) -> Result<()> {
        let mut list = 2_u32.to_le_bytes().to_vec();
        let others = if rights == 7 { 5 } else { 4 };
        for (tag, rights, id) in [
            (0x01_u16, rights, u32::MAX),
            (0x02, rights, self.other.0),
            (0x04, others, u32::MAX),
            (0x10, rights, u32::MAX),
            (0x20, others, u32::MAX),
        ] {
            list.extend(tag.to_le_bytes());
            list.extend(rights.to_le_bytes());
            list.extend(id.to_le_bytes());
        }
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(path, "system.posix_acl_access", &list, flags).map_err(|error| {
            Missing {
                name: "access lists".to_owned(),
                why: error.to_string(),
            }
        })?;
        Ok(())
    }

    /// Whether such a namespace may be made here.
    fn can(&self, namespace: &[&str]) -> Result<()> {
        let made = self.start(namespace, Path::new("true"), Path::new("/"))?;
        if in_time(made, "a namespace")?.ok {
            return Ok(());
        }
        Err(Missing {
            name: "user namespaces".to_owned(),
            why: "unshare may not make one".to_owned(),
        }
        .into())
    }

    /// What `kubectl-fob status` says to the person.
    fn status(&self, namespace: &[&str], instance: &Path) -> Result<Said> {
        let shim = self.folder.path().join("kubectl-fob");
        let started = self.start(namespace, &shim, instance)?;
        in_time(started, &format!("{namespace:?}"))
    }

    fn start(
        &self,
        namespace: &[&str],
        program: &Path,
        instance: &Path,
    ) -> Result<std::process::Child> {
        let user = format!(
            "--reuid={} --regid={} --clear-groups",
            self.person.0, self.person.0
        );
        Command::new("setpriv")
            .args(user.split(' '))
            .args(namespace)
            .arg(program)
            .arg("status")
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", instance)
            .env("KUBEFOB_HOME", instance)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("setpriv")
    }
}
