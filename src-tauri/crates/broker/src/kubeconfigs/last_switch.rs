//! A switch of ours that another program undoes.
//!
//! kubectl reads a kubeconfig before it locks it, and then writes the current context that it had read (client-go
//! `tools/clientcmd/config.go`: `ModifyConfig`). A switch that was made in between is gone. Nobody can keep kubectl from
//! that; but a person who was told "it is prod now" must hear that it is not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kubeconfig::Kubeconfig;
use crate::clock::Moment;
use crate::problem::Problem;

/// How soon after a switch the old context comes back where nobody meant it to. Who begins after it has read ours.
const AT_ONCE: Duration = Duration::from_secs(3);
/// How long it is said.
const SAID: Duration = Duration::from_secs(600);

/// The last switch, and whether it was undone.
#[derive(Debug, Default)]
pub(crate) enum LastSwitch {
    /// None that matters any more.
    #[default]
    None,
    /// It stands.
    Made(Switch),
    /// The context before it came back.
    Undone(Switch),
}

#[derive(Debug)]
pub(crate) struct Switch {
    file: PathBuf,
    from: Option<String>,
    to: String,
    at: Moment,
}

impl LastSwitch {
    /// A switch was made.
    pub(crate) fn made(file: &Path, from: Option<String>, to: &str, now: Moment) -> Self {
        if from.as_deref() == Some(to) {
            return Self::None;
        }
        Self::Made(Switch {
            file: file.to_owned(),
            from,
            to: to.to_owned(),
            at: now,
        })
    }

    /// The person's own kubeconfig was written, by whomever.
    pub(crate) fn written(&mut self, kubeconfig: Option<&Kubeconfig>, now: Moment) {
        let Some(kubeconfig) = kubeconfig else {
            return;
        };
        let is_of = |switch: &Switch| switch.file == Path::new(&kubeconfig.path);
        let is_back = |switch: &Switch| kubeconfig.current == switch.from;
        let stands = |switch: &Switch| kubeconfig.current.as_ref() == Some(&switch.to);
        *self = match std::mem::take(self) {
            Self::Made(switch) if !is_of(&switch) || stands(&switch) => Self::Made(switch),
            Self::Made(switch) if is_back(&switch) && now.since(switch.at) <= AT_ONCE => {
                Self::Undone(switch)
            }
            Self::Undone(switch) if !is_of(&switch) || is_back(&switch) => Self::Undone(switch),
            Self::None | Self::Made(_) | Self::Undone(_) => Self::None,
        };
    }

    /// When there is nothing to be said of it any more, if there is something now.
    pub(crate) fn said_until(&self, now: Moment) -> Option<Moment> {
        match self {
            Self::Undone(switch) => Some(switch.at.after(SAID)).filter(|end| now < *end),
            Self::None | Self::Made(_) => None,
        }
    }

    /// What is to be said of it.
    pub(crate) fn notice(&self, now: Moment) -> Option<Problem> {
        match self {
            Self::Undone(switch) if self.said_until(now).is_some() => {
                let previous = switch.from.clone();
                Some(Problem::SwitchUndone {
                    path: switch.file.display().to_string(),
                    context: switch.to.clone(),
                    previous: previous.unwrap_or_else(|| "-".to_owned()),
                })
            }
            Self::None | Self::Made(_) | Self::Undone(_) => None,
        }
    }
}
