//! The .rpm.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rpm::{BuildConfig, CompressionWithLevel, Dependency, FileOptions, PackageBuilder, Scriptlet};

use crate::licences::Licences;
use crate::tree::{self, Entry, PROGRAMS, Places, What};
use crate::{About, DESCRIPTION, SUMMARY, needs};

const PLACES: Places = Places {
    zsh: "/usr/share/zsh/site-functions",
};

const RELEASE: &str = "1";

/// What keeps the vault's key: any Secret Service does. And what opens the browser.
const RECOMMENDS: [&str; 2] = ["(gnome-keyring or kf6-kwallet or keepassxc)", "xdg-utils"];

/// As `%systemd_user_preun` does. Nothing is enabled at the installation, hence there is no other script.
const BEFORE_REMOVAL: &str = "\
if [ $1 -eq 0 ] && [ -x /usr/lib/systemd/systemd-update-helper ]; then
    /usr/lib/systemd/systemd-update-helper remove-user-units kubefob.socket kubefob.service || :
fi
";

/// Writes it, and says where.
pub(crate) fn write(
    about: &About,
    programs: &Path,
    licences: &Licences,
    out: &Path,
) -> Result<PathBuf> {
    let mut entries = tree::entries(about, programs, &PLACES)?;
    for (name, text) in [
        ("LICENSE", &licences.own),
        ("third-party-licences", &licences.others),
    ] {
        let path = format!("/usr/share/licenses/kubefob/{name}");
        let what = What::Licence(text.clone().into_bytes());
        entries.push(Entry { path, what });
    }
    let date = u32::try_from(about.date)?;
    let mut package = PackageBuilder::new(
        "kubefob",
        about.version,
        &licences.expression,
        about.machine,
        SUMMARY,
    );
    package
        .using_config(
            BuildConfig::v4()
                .source_date(date)
                .compression(CompressionWithLevel::Zstd(19)),
        )
        .release(RELEASE)
        .description(DESCRIPTION)
        .build_host("localhost")
        .pre_uninstall_script(Scriptlet::new(BEFORE_REMOVAL));
    for need in required(programs)? {
        package.requires(Dependency::any(need));
    }
    for recommended in RECOMMENDS {
        package.recommends(Dependency::any(recommended));
    }
    for Entry { path, what } in entries {
        match what {
            What::Program(built) => {
                package.with_file(built, FileOptions::new(path).permissions(0o755))?
            }
            What::File(content) => {
                package.with_file_contents(content, FileOptions::new(path).permissions(0o644))?
            }
            What::Licence(content) => package
                .with_file_contents(content, FileOptions::new(path).permissions(0o644).license())?,
            What::Link(target) => package.with_symlink(FileOptions::symlink(path, target))?,
        };
    }
    let file = format!("kubefob-{}-{RELEASE}.{}.rpm", about.version, about.machine);
    let path = out.join(file);
    package.build()?.write_file(&path)?;
    Ok(path)
}

/// As rpmbuild finds them itself: `libc.so.6(GLIBC_2.34)(64bit)`. Every distribution's libraries say that they are it,
/// whatever their packages are called.
fn required(programs: &Path) -> Result<BTreeSet<String>> {
    let mut required = BTreeSet::new();
    for name in PROGRAMS {
        for need in needs::of(&programs.join(name))? {
            let version = need.version.unwrap_or_default();
            required.insert(format!("{}({version})(64bit)", need.library));
        }
    }
    Ok(required)
}
