//! Tray and window: what they cost, and how fast they are there, each beside the least that ksni and Tauri can do.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use wire::start::BACKGROUND;
use world::item::Host;
use world::onlooker::{Onlooker, Shown};
use world::parts;
use world::statistics::{median, minimum};
use world::wait;

use crate::ground::{Ground, wait_for};
use crate::resident::{Memory, NOT_DUMPABLE, idle_while, its_memory};
use crate::row::{Goal, Row};

/// How often the tray's items are started, by turns.
const ITEMS: usize = 40;
/// How often the windows are opened, by turns.
const WINDOWS: usize = 15;
/// How long anything may take to be seen. It only serves to fail.
const LATEST: Duration = Duration::from_secs(60);
/// The ground of our side bar in the light theme, and of the empty page.
const GROUND: [u8; 3] = [0xee, 0xf0, 0xf4];
/// Where it is looked for in a window: in our side bar, where no word stands.
const SPOT: (i16, i16) = (4, 300);
const TITLE: &str = "Kubefob";

/// The resident in a panel.
pub(crate) fn tray(ground: &Ground) -> Result<Vec<Row>> {
    let host = Host::at(ground.bus()?)?;
    host.item()?;
    let (name, goal) = ("PSS of the resident with tray, signed in", Goal::Most(12.0));
    let mut rows = vec![its_memory(
        ground,
        name,
        goal,
        "did the sign-in, its item in a panel",
    )?];
    let name = "context switches in 60 idle seconds, with tray";
    rows.push(idle_while(ground, name, ", its item in a panel")?);
    rows.push(items(ground, &host)?);
    Ok(rows)
}

/// How long it takes until the host has the item, ours and a bare one's.
fn items(ground: &Ground, host: &Host) -> Result<Row> {
    const NAME: &str = "resident, spawn to tray item ÷ a bare ksni item";
    ground.person.end_resident("TERM")?;
    let ours = ground.person.path().join("kubefob");
    let bare = parts::probe("bare-item")?;
    let registered = registrations(host)?;
    let mut all = [Vec::new(), Vec::new()];
    for _ in 0..ITEMS {
        let by_turns = [(&ours, &[BACKGROUND][..]), (&bare, &[])];
        for (seconds, (program, flags)) in all.iter_mut().zip(by_turns) {
            while registered.try_recv().is_ok() {}
            let program = program.to_str().context("a path that is no text")?;
            let mut command = quiet(ground, program);
            let begun = Instant::now();
            let mut child = command.args(flags).spawn()?;
            let there = registered.recv_timeout(LATEST).context("no item")?;
            seconds.push(there.duration_since(begun).as_secs_f64());
            end(&mut child)?;
            wait_for("the item to go", || Ok(host.registered()?.is_empty()))?;
        }
    }
    let [ours, bare] = [&all[0], &all[1]].map(|seconds| minimum(seconds));
    let (ours, bare) = ours.zip(bare).context("nothing was measured")?;
    let how = format!(
        "minima of {ITEMS} interleaved starts: {:.1} and {:.1} ms from spawn until the panel's watcher says that there is \
         an item; ours in a home with a session at rest",
        ours * 1e3,
        bare * 1e3,
    );
    Ok(Row::new(NAME, (ours / bare, "×"), Goal::Most(1.5), how))
}

/// When each item came, from now on.
fn registrations(host: &Host) -> Result<Receiver<Instant>> {
    let (says, heard) = channel();
    let mut items = host.registrations()?;
    thread::spawn(move || {
        while items.next().is_some() {
            if says.send(Instant::now()).is_err() {
                return;
            }
        }
    });
    Ok(heard)
}

const PAINTED: &str = "click to painted window ÷ an empty Tauri window";
const LINGERING: &str = "click to painted window, lingering ÷ cold";
const OPEN: &str = "context switches in 60 idle seconds, window open";
const AFTER: &str = "PSS of the resident after a window came and went";
const LEFT: &str = "PSS left of the window after its linger";

/// The window.
pub(crate) fn window(ground: &Ground) -> Result<Vec<Row>> {
    let memory = Goal::Most(12.0);
    if let Err(missing) = parts::window("kubefob-window") {
        let why = format!("{missing:#}");
        let rows = [
            (PAINTED, Goal::Most(1.2)),
            (LINGERING, Goal::Most(0.3)),
            (OPEN, Goal::Most(0.0)),
            (AFTER, memory),
            (LEFT, Goal::Most(0.0)),
        ];
        let skipped = rows.map(|(name, goal)| Row::skipped(name, goal, &why));
        return Ok(skipped.to_vec());
    }
    ground.person.install_window("kubefob-window")?;
    let host = Host::at(ground.bus()?)?;
    // The families before may have ended it.
    ground.get_namespaces(&[])?;
    host.item()?;
    let view = View {
        ground,
        onlooker: Onlooker::at(ground.display())?,
        host,
    };
    let mut rows = view.openings()?;
    view.click()?;
    let what = ", the window open and in front";
    rows.push(idle_while(ground, OPEN, what)?);
    let open = view.memory()?;
    view.close()?;
    let closed = Instant::now();
    wait_for("the linger's end", || {
        Ok(ground.person.windows().is_empty())
    })?;
    let lingered = closed.elapsed().as_secs_f64();
    let did = format!("showed a window {} times", 2 * WINDOWS + 1);
    rows.push(its_memory(ground, AFTER, memory, &did)?);
    rows.push(match (open, view.memory()?) {
        (Some(open), left) => {
            let how = format!(
                "none of its processes is left {lingered:.0} s after it was closed; open, the app and WebKit's processes \
                 held {open:.0} MB"
            );
            Row::new(LEFT, (left.unwrap_or(0.0), "MB"), Goal::Most(0.0), how)
        }
        (None, _) => Row::skipped(LEFT, Goal::Most(0.0), NOT_DUMPABLE),
    });
    Ok(rows)
}

/// Somebody who clicks and looks.
struct View<'a> {
    ground: &'a Ground,
    onlooker: Onlooker,
    host: Host,
}

impl View<'_> {
    /// An empty window, ours without a process, and ours that lingers: by turns.
    fn openings(&self) -> Result<Vec<Row>> {
        let mut all = [const { Vec::new() }; 3];
        let mut ratios = [const { Vec::new() }; 2];
        // The first of each reads its files from the disk.
        for round in 0..=WINDOWS {
            let seconds = [self.empty()?, self.cold()?, self.lingering()?];
            self.end_window()?;
            if round == 0 {
                continue;
            }
            for (all, seconds) in all.iter_mut().zip(seconds) {
                all.push(seconds);
            }
            ratios[0].push(seconds[1] / seconds[0]);
            ratios[1].push(seconds[2] / seconds[1]);
        }
        let [empty, cold, lingering] = [middle(&all[0])?, middle(&all[1])?, middle(&all[2])?];
        let seen = "painted: a pixel of its ground is on the screen (GetImage of an X server without a monitor, every \
                    millisecond): of our side bar, which is drawn once the view has come, and of the empty window's page";
        let how = format!(
            "median of the ratios of {WINDOWS} interleaved pairs: {:.0} ms from a click on the tray's item with no process \
             of the window's, {:.0} ms from spawn of an empty Tauri window of the same size; {seen}",
            cold * 1e3,
            empty * 1e3,
        );
        let again = format!(
            "median of the ratios of {WINDOWS} pairs: {:.0} ms from the click on the tray's item while the closed window \
             lingers, {:.0} ms cold; {seen}",
            lingering * 1e3,
            cold * 1e3,
        );
        Ok(vec![
            Row::new(PAINTED, (middle(&ratios[0])?, "×"), Goal::Most(1.2), how),
            Row::new(
                LINGERING,
                (middle(&ratios[1])?, "×"),
                Goal::Most(0.3),
                again,
            ),
        ])
    }

    fn empty(&self) -> Result<f64> {
        const TITLE: &str = "empty-window";
        let program = parts::probe("empty-window")?;
        let program = program.to_str().context("a path that is no text")?;
        let mut command = quiet(self.ground, program);
        let begun = Instant::now();
        let mut child = command.spawn()?;
        let seconds = self.painted(begun, TITLE)?;
        let all = with_children(child.id());
        end(&mut child)?;
        self.gone(&all)?;
        Ok(seconds)
    }

    fn cold(&self) -> Result<f64> {
        ensure!(self.ground.person.windows().is_empty(), "a window is there");
        self.click()
    }

    fn lingering(&self) -> Result<f64> {
        self.close()?;
        ensure!(
            !self.ground.person.windows().is_empty(),
            "it does not linger"
        );
        self.click()
    }

    /// A left click on the item, and the seconds until the window is painted.
    fn click(&self) -> Result<f64> {
        let item = self.host.item()?;
        let begun = Instant::now();
        item.activate()?;
        self.painted(begun, TITLE)
    }

    fn close(&self) -> Result<()> {
        let shown = self.onlooker.until_window(TITLE)?;
        self.onlooker.close(shown)?;
        wait_for("the window to go", || {
            Ok(self.onlooker.window(TITLE)?.is_none() && !self.has_ground(shown)?)
        })
    }

    fn painted(&self, begun: Instant, title: &str) -> Result<f64> {
        let often = wait::up_to(LATEST).every(Duration::from_millis(1));
        often.until(&format!("{title} with something in it"), || {
            let shown = self.onlooker.window(title)?;
            Ok(match shown {
                Some(shown) => self.has_ground(shown)?,
                None => false,
            })
        })?;
        Ok(begun.elapsed().as_secs_f64())
    }

    fn has_ground(&self, shown: Shown) -> Result<bool> {
        let (x, y) = (shown.area.x + SPOT.0, shown.area.y + SPOT.1);
        Ok(self.onlooker.colour(x, y)? == GROUND)
    }

    /// Ends the window's process at once, so that the next one is cold.
    fn end_window(&self) -> Result<()> {
        for window in self.ground.person.windows() {
            let all = with_children(window);
            signal(window)?;
            self.gone(&all)?;
        }
        Ok(())
    }

    /// Waits until processes are gone: WebKit's go a while after the one that they serve.
    fn gone(&self, all: &[u32]) -> Result<()> {
        wait_for("the window's processes to end", || {
            let lives = |pid: &u32| !matches!(stat(*pid), None | Some(('Z', _)));
            Ok(!all.iter().any(lives))
        })
    }

    /// What the window's processes hold together, in MB.
    fn memory(&self) -> Result<Option<f64>> {
        let mut sum = None;
        for window in self.ground.person.windows() {
            for pid in with_children(window) {
                if let Some(memory) = Memory::of(pid)? {
                    sum = Some(sum.unwrap_or(0.0) + memory.all);
                }
            }
        }
        Ok(sum)
    }
}

fn quiet(ground: &Ground, program: &str) -> Command {
    let mut command = ground.person.command(program);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn end(child: &mut Child) -> Result<()> {
    signal(child.id())?;
    child.wait()?;
    Ok(())
}

fn signal(pid: u32) -> Result<()> {
    let pid = Pid::from_raw(pid.cast_signed()).context("no number")?;
    Ok(kill_process(pid, Signal::TERM)?)
}

/// A process, and all that descend from it.
fn with_children(root: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, stat(pid)?.1))).collect();
    let mut all = vec![root];
    let mut at = 0;
    while let Some(parent) = all.get(at).copied() {
        let children = parents.iter().filter(|(_, of)| *of == parent);
        all.extend(children.map(|(pid, _)| *pid));
        at += 1;
    }
    all
}

/// A process's state and parent.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(PathBuf::from(format!("/proc/{pid}/stat"))).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn middle(figures: &[f64]) -> Result<f64> {
    median(figures).context("nothing was measured")
}
