//! What a shim asks for, as the event that the broker decides.

use std::path::PathBuf;

use broker::argv::{self, Called};
use broker::asker::{Endpoint, Place};
use broker::command::Invocation;
use broker::event::{Commanded, Event};
use broker::problem::Problem;
use broker::waiters::CallerId;
use wire::frame::Run;

use crate::askers::asker::Found;
use crate::kubeconfigs::files::Files;
use crate::os::files::path;
use crate::serve::orders::Orders;
use crate::serve::plugin::Plugins;
use crate::serve::room::Room;

/// What an ask is understood with.
#[derive(Clone)]
pub(crate) struct Asks {
    pub(crate) orders: Orders,
    pub(crate) files: Files,
    pub(crate) plugins: Plugins,
    pub(crate) room: Room,
    /// The person's own folder.
    pub(crate) home: PathBuf,
}

impl Asks {
    /// What the client asks, with all that the resident finds out about it.
    pub(super) async fn event(&self, caller: CallerId, found: Found, run: Run) -> Event {
        if run.exec_info.is_some() && found.asker.place != Place::Container {
            self.plugins.asked_by(&found);
        }
        let by_client = run.exec_info.is_some();
        if let Some(wanted) = self.files.asked_before(&found, &run) {
            return Event::Asked(Box::new(wanted.asked_by(caller, found.asker, by_client)));
        }
        let cwd = path(&run.cwd);
        let invocation = argv::parse(&Called {
            program: &run.program,
            args: &run.args,
            cwd: &cwd,
            home: &self.home,
            exec_info: run.exec_info.as_deref(),
        });
        match invocation {
            Ok(Invocation::GetToken(get_token)) => {
                let asker = found.asker.clone();
                let _turn = self.room.look().await;
                match self.files.wanted(found, &run, *get_token).await {
                    Ok(wanted) => Event::Asked(Box::new(wanted.asked_by(caller, asker, by_client))),
                    Err(problem) => Event::Refused(caller, problem),
                }
            }
            Ok(invocation)
                if found.asker.place == Place::Container && !invocation.is_for_containers() =>
            {
                Event::Refused(caller, Problem::NotInContainers)
            }
            Ok(invocation) => {
                if matches!(invocation, Invocation::Status { .. }) {
                    let path = run.variable("PATH").map(path);
                    self.plugins.look(path.map(PathBuf::into_os_string)).await;
                }
                let commanded = Commanded {
                    caller,
                    asker: found.asker,
                    endpoint: Endpoint::Control,
                    invocation,
                };
                self.orders.commanded(commanded, &run).await
            }
            Err(problem) => Event::Refused(caller, problem),
        }
    }
}
