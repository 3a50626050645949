//! What each process needed: once a server, it needs it until it ends, whatever its files say since.

use std::collections::VecDeque;
use std::sync::Arc;

use broker::asker::ProcessId;
use broker::event::Servers;
use broker::trust::Server;

use super::lifetime::make_room;

/// How many processes are remembered; of more, those that have ended go first.
const MOST: usize = 256;
/// From how many on those that have ended go: each can hold long certificate authorities.
const FEW: usize = 8;

/// Processes and what they needed, the newest last.
#[derive(Debug, Default)]
pub(super) struct Needs(VecDeque<(ProcessId, Arc<Servers>)>);

impl Needs {
    /// A process needs these now. Gives what it needs with all that it needed before; `lives` tells whether a process
    /// is still there.
    pub(super) fn with_earlier(
        &mut self,
        process: ProcessId,
        servers: Arc<Servers>,
        lives: impl Fn(ProcessId) -> bool,
    ) -> Arc<Servers> {
        let at = self.0.iter().position(|(known, _)| *known == process);
        let earlier = at.and_then(|at| self.0.remove(at));
        let needed = match &earlier {
            Some((_, earlier)) => joined(earlier, servers),
            None => servers,
        };
        make_room(&mut self.0, (FEW, MOST), lives);
        self.0.push_back((process, Arc::clone(&needed)));
        needed
    }
}

fn joined(earlier: &Arc<Servers>, servers: Arc<Servers>) -> Arc<Servers> {
    let is_known = |server: &Server| servers.needed.iter().any(|known| known.server == *server);
    let mut more = earlier
        .needed
        .iter()
        .filter(|earlier| !is_known(&earlier.server))
        .peekable();
    if more.peek().is_none() {
        return servers;
    }
    let mut all = (*servers).clone();
    all.needed.extend(more.cloned());
    let Servers { needed, others, .. } = &mut all;
    others.retain(|other| needed.iter().all(|known| known.server != other.server));
    Arc::new(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use broker::event::Candidate;

    fn servers(names: &str) -> Arc<Servers> {
        let candidate = |name: char| Candidate {
            server: Server::Unknown(name.to_string()),
            contexts: Vec::new(),
            file: None,
        };
        Arc::new(Servers {
            needed: names.chars().map(candidate).collect(),
            others: Vec::new(),
            claims: Vec::new(),
        })
    }

    fn process(pid: u32) -> ProcessId {
        ProcessId { pid, started: 1 }
    }

    fn names(servers: &Servers) -> String {
        let name = |candidate: &Candidate| match &candidate.server {
            Server::Unknown(name) => name.clone(),
            Server::Known(_) => String::new(),
        };
        servers.needed.iter().map(name).collect()
    }

    #[test]
    fn what_a_process_needed_it_needs_until_it_ends() {
        let mut needs = Needs::default();
        let mut ask = |pid, of| names(&needs.with_earlier(process(pid), servers(of), |_| true));
        assert_eq!(ask(1, "a"), "a");
        assert_eq!(ask(1, "b"), "ba");
        assert_eq!(ask(2, "b"), "b", "another one");
        assert_eq!(ask(1, "c"), "cba");
        assert_eq!(ask(1, "a"), "acb");
    }

    #[test]
    fn those_that_have_ended_make_room() {
        let mut needs = Needs::default();
        for pid in 0..2 * MOST as u32 {
            needs.with_earlier(process(pid), servers("a"), |process| process.pid == 0);
        }
        assert!(needs.0.len() <= FEW + 1);
        assert_eq!(
            names(&needs.with_earlier(process(0), servers("b"), |_| true)),
            "ba"
        );
    }
}
