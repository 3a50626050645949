//! Whose `kubectl-oidc_login` answers `kubectl oidc-login`: the first on PATH, and how to change that where it is not
//! ours.

use serde::{Deserialize, Serialize};

use crate::shell::quoted;

/// What was found on a PATH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// The first `kubectl-oidc_login` there; none: there is none.
    pub first: Option<First>,
    /// Where ours is.
    pub ours: String,
    /// A folder on that PATH where the person may put things; none: they have none there.
    pub own_folder: Option<String>,
    /// The program whose PATH it is; none: this desktop's.
    pub on: Option<String>,
}

/// The first on PATH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    /// Its path.
    pub path: String,
    /// The same as people write it.
    pub shown: String,
    /// Whether it is ours.
    pub is_ours: bool,
    /// Whether ours stands further behind.
    pub ours_follows: bool,
    /// Whether the person may change its folder.
    pub in_own_folder: bool,
}

/// Whose plugin it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// Ours.
    Ours,
    /// Another program's.
    Others,
    /// Nobody's: there is none.
    Nobodys,
}

impl Plugin {
    /// Whose it is.
    pub(crate) fn whose(&self) -> Whose {
        match &self.first {
            None => Whose::Nobodys,
            Some(first) if first.is_ours => Whose::Ours,
            Some(_) => Whose::Others,
        }
    }

    /// The command that makes it ours; none: it is. One that is to be gone is taken off by whoever put it there, if ours comes next; else it is set aside, where
    /// it can be had again.
    pub(crate) fn remedy(&self) -> Option<String> {
        let ours = quoted(&self.ours);
        let Some(first) = &self.first else {
            let (sudo, folder) = match &self.own_folder {
                Some(folder) => ("", folder.as_str()),
                None => ("sudo ", "/usr/local/bin"),
            };
            let link = quoted(&format!("{folder}/kubectl-oidc_login"));
            return Some(format!("{sudo}ln -s {ours} {link}"));
        };
        if first.is_ours {
            return None;
        }
        if first.ours_follows && first.path.contains("/.krew/") {
            return Some("kubectl krew uninstall oidc-login".to_owned());
        }
        let by_homebrew = ["/opt/homebrew/", "/home/linuxbrew/"];
        if first.ours_follows
            && by_homebrew
                .iter()
                .any(|place| first.path.starts_with(place))
        {
            return Some("brew uninstall kubelogin".to_owned());
        }
        let sudo = if first.in_own_folder { "" } else { "sudo " };
        let (there, aside) = (
            quoted(&first.path),
            quoted(&format!("{}.before", first.path)),
        );
        Some(format!(
            "{sudo}mv {there} {aside} && {sudo}ln -s {ours} {there}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy(path: &str, ours_follows: bool, in_own_folder: bool) -> String {
        let plugin = Plugin {
            first: Some(First {
                path: path.to_owned(),
                shown: path.to_owned(),
                is_ours: false,
                ours_follows,
                in_own_folder,
            }),
            ours: "/usr/bin/kubectl-oidc_login".to_owned(),
            own_folder: None,
            on: None,
        };
        plugin.remedy().unwrap()
    }

    #[test]
    fn each_is_changed_as_it_came_there() {
        let krew = "/home/u/.krew/bin/kubectl-oidc_login";
        assert_eq!(
            remedy(krew, true, true),
            "kubectl krew uninstall oidc-login"
        );
        assert_eq!(
            remedy(krew, false, true),
            format!("mv {krew} {krew}.before && ln -s /usr/bin/kubectl-oidc_login {krew}")
        );
        assert_eq!(
            remedy(
                "/home/linuxbrew/.linuxbrew/bin/kubectl-oidc_login",
                true,
                false
            ),
            "brew uninstall kubelogin"
        );
        assert_eq!(
            remedy("/usr/local/my bin/kubectl-oidc_login", true, false),
            "sudo mv '/usr/local/my bin/kubectl-oidc_login' \
             '/usr/local/my bin/kubectl-oidc_login.before' && \
             sudo ln -s /usr/bin/kubectl-oidc_login '/usr/local/my bin/kubectl-oidc_login'"
        );
    }

    #[test]
    fn where_there_is_none_ours_is_linked() {
        let plugin = |own_folder: Option<&str>| Plugin {
            first: None,
            ours: "/opt/k/kubectl-oidc_login".to_owned(),
            own_folder: own_folder.map(str::to_owned),
            on: None,
        };
        assert_eq!(
            plugin(Some("/home/u/bin")).remedy().unwrap(),
            "ln -s /opt/k/kubectl-oidc_login /home/u/bin/kubectl-oidc_login"
        );
        assert_eq!(
            plugin(None).remedy().unwrap(),
            "sudo ln -s /opt/k/kubectl-oidc_login /usr/local/bin/kubectl-oidc_login"
        );
    }
}
