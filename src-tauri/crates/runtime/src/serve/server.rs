//! The socket, served: one task a connection, from the first frame to the last reply.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use broker::argv::{self, Called};
use broker::asker::{Asker, Endpoint, Place};
use broker::command::Names;
use broker::command::{Command, Invocation};
use broker::contexts::{ContextCommand, ContextWish};
use broker::event::{Commanded, Event};
use broker::problem::Problem;
use broker::texts::Language;
use broker::view::Told;
use broker::waiters::CallerId;
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, oneshot, watch};
use wire::frame::{ALIVE_EVERY, Decoder, Encoder, Reply, Request, Run};

use crate::askers::asker::{self, Found, Programs};
use crate::desk::desktop::Screen;
use crate::hall::inbox::{Inbox, Message};
use crate::hall::line::Line;
use crate::hall::under_way::{Turn, UnderWay};
use crate::kubeconfigs::contexts;
use crate::kubeconfigs::files::Files;
use crate::os::files::path;
use crate::os::socket::{self, Listener, Stream};
use crate::own::settings::Settings;
use crate::serve::plugin::Plugins;
use crate::serve::room::Room;
use crate::serve::window::{Link, Window};

/// How long a client may take for its first frame.
pub(crate) const FIRST_FRAME: Duration = Duration::from_secs(5);
/// How long one for whom there is no place may take for it: it is told so, and that takes a word of its own.
const TURNED_AWAY: Duration = Duration::from_millis(200);
/// How soon is tried again what the system refused, with nobody here who could give way.
const AGAIN: Duration = Duration::from_millis(50);

/// What every connection needs.
#[derive(Clone)]
pub(crate) struct Server {
    inbox: Inbox,
    programs: Programs,
    files: Files,
    uid: wire::os::Uid,
    home: PathBuf,
    next: Arc<AtomicU64>,
    chosen: watch::Receiver<Settings>,
    door: watch::Receiver<Door>,
    under_way: UnderWay,
    screen: Screen,
    window: Window,
    plugins: Plugins,
    room: Room,
}

/// Whether connections are taken. Whoever comes to a shut door waits before it, unanswered and not turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// They are.
    Open,
    /// Not just now.
    Shut,
    /// Never again.
    Gone,
}

impl Server {
    #[allow(clippy::too_many_arguments, reason = "what every connection needs")]
    pub(crate) fn new(
        inbox: Inbox,
        files: Files,
        uid: wire::os::Uid,
        home: PathBuf,
        chosen: watch::Receiver<Settings>,
        door: watch::Receiver<Door>,
        under_way: UnderWay,
        screen: Screen,
        window: Window,
        plugins: Plugins,
    ) -> Self {
        let room = Room::of_this_process();
        Self {
            inbox,
            programs: Programs::new(room.programs()),
            files,
            uid,
            home,
            next: Arc::new(AtomicU64::new(1)),
            chosen,
            door,
            under_way,
            screen,
            window,
            plugins,
            room,
        }
    }

    /// Takes connections while the door is open, until it is gone.
    pub(crate) async fn serve(self, mut listener: Listener) {
        let mut door = self.door.clone();
        let (mut found, mut refused) = (true, false);
        loop {
            let state = door.wait_for(|door| *door != Door::Shut).await;
            if state.map_or(Door::Gone, |door| *door) == Door::Gone {
                return;
            }
            // First: whoever waits before the door costs nothing yet.
            let place = tokio::select! {
                biased;
                _ = door.changed() => continue,
                place = self.room.enter(Room::patience(found)) => place,
            };
            let accepted = tokio::select! {
                biased;
                _ = door.changed() => continue,
                accepted = listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok(stream) => stream,
                Err(error) => {
                    // The whole system may be out of descriptors: those without a first frame make room.
                    if !std::mem::replace(&mut refused, true) {
                        tracing::warn!(%error, "accept");
                    }
                    if self.room.give_way() {
                        tokio::task::yield_now().await;
                    } else {
                        tokio::time::sleep(AGAIN).await;
                    }
                    continue;
                }
            };
            refused = false;
            let place = place.or_else(|| self.room.try_enter());
            found = place.is_some();
            let Some(place) = place else {
                drop(tokio::time::timeout(TURNED_AWAY, self.turned_away(stream)).await);
                continue;
            };
            let (speaks, spoke) = oneshot::channel();
            let turn = self.under_way.connection();
            let connection = self.clone().connection(stream, speaks, turn);
            let task = tokio::spawn(async move {
                connection.await;
                drop(place);
            });
            self.room.came(task.abort_handle(), spoke);
        }
    }

    /// Everybody who is here waits for something: one more is told, and comes again.
    async fn turned_away(&self, mut stream: Stream) {
        if !socket::peer(&stream).is_ok_and(|peer| peer.uid == self.uid) {
            return;
        }
        drop(read(&mut stream, &mut Decoder::new()).await);
        drop(refuse(&mut stream, &Problem::Busy).await);
    }

    async fn connection(self, mut stream: Stream, speaks: oneshot::Sender<()>, under_way: Turn) {
        let Ok(peer) = socket::peer(&stream) else {
            return;
        };
        if peer.uid != self.uid {
            tracing::warn!(uid = %peer.uid, "a foreign user was turned away");
            return;
        }
        let mut decoder = Decoder::<Request>::new();
        let first = tokio::time::timeout(FIRST_FRAME, read(&mut stream, &mut decoder)).await;
        drop(speaks);
        match first {
            Ok(Ok(Some(Request::Run(run)))) => {
                self.answer(stream, decoder, peer.pid, run).await;
            }
            Ok(Ok(Some(Request::Command(_)))) if !peer.pid.is_some_and(asker::is_with_us) => {
                // A window has a person's commands, and shows what is theirs.
                drop(refuse(&mut stream, &Problem::NotInContainers).await);
            }
            Ok(Ok(Some(Request::Command(first)))) => {
                // Started by hand: where somebody sits.
                if let Some(environment) = peer.pid.and_then(asker::started_in) {
                    self.screen.offer(&environment);
                }
                // It stays for hours, and nothing has to wait for it.
                drop(under_way);
                let link = Link::new(stream, decoder);
                return self.window.control(link, first, &self).await;
            }
            Ok(Ok(Some(Request::Answer(_)))) | Ok(Err(_)) => {
                drop(refuse(&mut stream, &Problem::BadClient).await);
            }
            Ok(Ok(None)) | Err(_) => {}
        }
        drop(under_way);
    }

    async fn answer(
        &self,
        mut stream: Stream,
        mut decoder: Decoder<Request>,
        pid: Option<u32>,
        run: Run,
    ) {
        let caller = self.caller();
        let mut found = self.programs.find(pid, &run);
        if let Some(language) = self.chosen.borrow().language {
            found.asker.language = language;
        }
        if let (Place::Here, Some(environment)) = (found.asker.place, &found.program.environment) {
            self.screen.offer(environment);
        }
        let (replies, mut outgoing) = mpsc::unbounded_channel();
        let line = Line::to_shim(replies, Arc::new(found.asker.clone()));
        self.inbox.send(Message::Caller(caller, line));
        let question = self.question(caller, found, run);
        let mut question = std::pin::pin!(question);
        let mut asked = false;
        let mut waiting = None;
        let mut encoder = Encoder::new();
        let mut alive =
            tokio::time::interval_at(tokio::time::Instant::now() + ALIVE_EVERY, ALIVE_EVERY);
        let complete = loop {
            tokio::select! {
                biased;
                event = &mut question, if !asked => {
                    asked = true;
                    self.inbox.event(event);
                }
                reply = outgoing.recv() => {
                    let Some(reply) = reply else { break true };
                    // A token and the end of it are there together, and go together.
                    let mut replies = vec![reply];
                    while let Ok(next) = outgoing.try_recv() {
                        replies.push(next);
                    }
                    let last = replies.iter().any(|reply| matches!(reply, Reply::Exit(_)));
                    if write(&mut stream, &mut encoder, &replies).await.is_err() {
                        break false;
                    }
                    if last {
                        break true;
                    }
                }
                request = read(&mut stream, &mut decoder) => match request {
                    Ok(Some(Request::Answer(line))) => {
                        self.inbox.event(Event::Answered(caller, line));
                    }
                    Ok(Some(Request::Run(_) | Request::Command(_)) | None) | Err(_) => break false,
                },
                // Only a loop that still turns says that it is alive.
                _ = alive.tick() => {
                    waiting.get_or_insert_with(|| self.under_way.waiting());
                    let (ping, pong) = oneshot::channel();
                    self.inbox.send(Message::Ping(ping));
                    if pong.await.is_err()
                        || write(&mut stream, &mut encoder, &[Reply::Alive]).await.is_err()
                    {
                        break false;
                    }
                }
            }
        };
        self.inbox.send(Message::Left(caller));
        if !complete {
            self.inbox.event(Event::Gone(caller));
        }
    }

    /// What the client asks, with all that the resident finds out about it.
    async fn question(&self, caller: CallerId, found: Found, run: Run) -> Event {
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
                self.commanded(commanded, &run).await
            }
            Err(problem) => Event::Refused(caller, problem),
        }
    }

    /// A person's command, with what it needs to know of their files.
    async fn commanded(&self, commanded: Commanded, run: &Run) -> Event {
        let (flag, wish) = match &commanded.invocation {
            Invocation::Contexts { kubeconfig, json } => {
                (kubeconfig.clone(), ContextWish::List { json: *json })
            }
            Invocation::Do {
                command:
                    Command::Use {
                        context,
                        kubeconfig,
                    },
                json,
            } => {
                let wish = ContextWish::Use {
                    context: context.clone(),
                    json: *json,
                };
                (kubeconfig.clone(), wish)
            }
            Invocation::Do {
                command:
                    Command::SignIn {
                        account: None,
                        open_browser,
                    },
                json,
            } if commanded.asker.place != Place::Container => {
                let wish = ContextWish::SignIn {
                    open_browser: *open_browser,
                    json: *json,
                };
                let (caller, asker) = (commanded.caller, commanded.asker.clone());
                let event = self.about_contexts(caller, asker, None, run, wish).await;
                // Where no context is to be told, an account may be.
                return if let Event::Refused(..) = event {
                    Event::Commanded(Box::new(commanded))
                } else {
                    event
                };
            }
            Invocation::Complete(completing) => match &completing.names {
                Some(Names::Contexts(kubeconfig)) => {
                    let wish = ContextWish::Complete(completing.clone());
                    (kubeconfig.clone(), wish)
                }
                Some(Names::Accounts | Names::Questions | Names::Approvals) | None => {
                    return Event::Commanded(Box::new(commanded));
                }
            },
            Invocation::GetToken(_)
            | Invocation::Do { .. }
            | Invocation::Status { .. }
            | Invocation::Accounts { .. }
            | Invocation::Token { .. }
            | Invocation::Trusts { .. }
            | Invocation::Reset { .. }
            | Invocation::Version { .. }
            | Invocation::Help(_)
            | Invocation::Completion { .. } => return Event::Commanded(Box::new(commanded)),
        };
        self.about_contexts(commanded.caller, commanded.asker, flag, run, wish)
            .await
    }

    /// A command of whoever sits at this desktop, from tray or window. It is told once, with its number.
    pub(crate) fn ordered(
        &self,
        command: Command,
        endpoint: Endpoint,
        language: Language,
        (number, told): (u64, &mpsc::UnboundedSender<(u64, Told)>),
    ) -> CallerId {
        let caller = self.caller();
        let asker = at_the_desktop(language);
        let line = Line::to_desk(number, told.clone(), Arc::new(asker.clone()));
        self.inbox.send(Message::Caller(caller, line));
        let commanded = Commanded {
            caller,
            asker,
            endpoint,
            invocation: Invocation::Do {
                command,
                json: false,
            },
        };
        let server = self.clone();
        tokio::spawn(async move {
            let event = server.commanded(commanded, &Run::default()).await;
            server.inbox.event(event);
        });
        caller
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    pub(crate) fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    pub(crate) fn window(&self) -> &Window {
        &self.window
    }

    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// The number of one who comes.
    fn caller(&self) -> CallerId {
        CallerId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A person's own words say which file set is meant: a change of a file is no trust in it.
    async fn about_contexts(
        &self,
        caller: CallerId,
        asker: Asker,
        flag: Option<String>,
        run: &Run,
        wish: ContextWish,
    ) -> Event {
        let variable = run.variable("KUBECONFIG").map(path);
        let _turn = self.room.look().await;
        match contexts::of_a_command(&self.files, flag, variable, path(&run.cwd)).await {
            Ok(kubeconfigs) => Event::Contexts(Box::new(ContextCommand {
                caller,
                asker,
                wish,
                kubeconfigs,
            })),
            Err(problem) => Event::Refused(caller, problem),
        }
    }
}

/// Whoever sits at this desktop. A click in the tray approves nothing: it comes over the session bus, where anybody
/// of this user's can send one.
fn at_the_desktop(language: Language) -> Asker {
    Asker {
        process: None,
        program: "Kubefob".to_owned(),
        arguments: None,
        place: Place::Here,
        container: None,
        foreground: false,
        terminal: false,
        completion: false,
        proxies: Default::default(),
        own_ca: false,
        language,
    }
}

/// The next whole frame; none where the client hung up. Cancelling it loses nothing: what was read
/// is in the decoder.
pub(crate) async fn read(
    stream: &mut Stream,
    decoder: &mut Decoder<Request>,
) -> Result<Option<Request>, wire::frame::FrameError> {
    loop {
        if let Some(request) = decoder.next()? {
            return Ok(Some(request));
        }
        if stream.readable().await.is_err() {
            return Ok(None);
        }
        // On the stack for a moment, and no part of every connection's task.
        let mut buffer = [0; 8 * 1024];
        match stream.try_read(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return Ok(None),
            Ok(length) => decoder.push(buffer.get(..length).unwrap_or_default()),
        }
    }
}

/// Says what is wrong to one who is asked nothing.
async fn refuse(stream: &mut Stream, problem: &Problem) -> std::io::Result<()> {
    let text = format!("kubefob: {}\n", problem.line(Language::default()));
    let replies = [Reply::Stderr(text), Reply::Exit(1)];
    write(stream, &mut Encoder::new(), &replies).await
}

pub(crate) async fn write(
    stream: &mut Stream,
    encoder: &mut Encoder<Reply>,
    replies: &[Reply],
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    for reply in replies {
        encoder
            .encode(reply, &mut bytes)
            .map_err(std::io::Error::other)?;
    }
    // A client that does not read is not waited for.
    let write = tokio::time::timeout(FIRST_FRAME, stream.write_all(&bytes)).await;
    zeroize::Zeroize::zeroize(&mut bytes);
    write?
}
