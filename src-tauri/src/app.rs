//! What is shown: two pages, each in a window of its own, and what they may ask for.

use std::error::Error;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tauri::async_runtime::channel;
use tauri::{
    AppHandle, Emitter, LogicalPosition, LogicalSize, Manager, State, WebviewUrl, WebviewWindow,
    WebviewWindowBuilder, Window, WindowEvent,
};
use wire::endpoint::Places;

use crate::frame::{Frame, Frames};
use crate::linger;
use crate::link::{Heard, Link, Wanted};

/// A page, and the window that it has.
struct Page {
    name: &'static str,
    file: &'static str,
    size: (f64, f64),
    least: (f64, f64),
}

const PAGES: [Page; 2] = [
    Page {
        name: MAIN,
        file: "index.html",
        size: (860.0, 560.0),
        least: (560.0, 420.0),
    },
    Page {
        name: CONSENT,
        file: "consent.html",
        // As high as its content, when that is known: `fit`.
        size: (520.0, 320.0),
        least: (420.0, 280.0),
    },
];

const MAIN: &str = "main";
const CONSENT: &str = "consent";

/// The page of the questions was closed: what stands there is not answered.
const LEAVE: &str = r#"{"do":"leave","question":null}"#;

/// What a page that comes is told.
#[derive(Default)]
struct Shown(Mutex<Now>);

#[derive(Default)]
struct Now {
    view: Option<Box<RawValue>>,
    gone: bool,
    /// Whether the main page listens.
    listens: bool,
    /// The screen that it goes to as soon as it does.
    screen: Option<String>,
    /// Whether the questions' window waits for its height to be seen.
    unmeasured: bool,
    /// How often something was shown or hidden.
    turns: u64,
}

impl Shown {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> u64 {
        let mut now = self.now();
        now.turns += 1;
        now.turns
    }
}

/// Shows what this resident says, until nobody looks any more.
pub(crate) fn show(resident: UnixStream, places: Places) -> Result<(), Box<dyn Error>> {
    let link = Arc::new(Link::default());
    tauri::Builder::default()
        .manage(Arc::clone(&link))
        .manage(Shown::default())
        .manage(Frames::in_folder(places.machine_folder().ok()))
        .invoke_handler(tauri::generate_handler![ready, fit, send])
        .on_window_event(closed)
        .setup(move |app| {
            let app = app.handle().clone();
            // Nothing may be wanted at all.
            hidden(&app);
            thread::Builder::new()
                .name("resident".to_owned())
                .spawn(move || link.follow(resident, &places, |heard| hear(&app, heard)))?;
            Ok(())
        })
        .run(tauri::generate_context!())?;
    Ok(())
}

fn hear(app: &AppHandle, heard: Heard) {
    let shown = app.state::<Shown>();
    // To nobody where no page is there: `ready` tells it again.
    let told = match heard {
        Heard::View(view) => {
            let told = app.emit("view", &view);
            shown.now().view = Some(view);
            told
        }
        Heard::Gone => {
            shown.now().gone = true;
            if !is_seen(app) {
                app.exit(0);
            }
            app.emit("gone", Value::Null)
        }
        Heard::Back => {
            shown.now().gone = false;
            app.emit("back", Value::Null)
        }
        Heard::Open(wanted) => open(app, wanted),
        Heard::Replaced | Heard::Removed => {
            app.exit(0);
            Ok(())
        }
    };
    if told.is_err() {
        app.exit(1);
    }
}

/// Brings a page to the front.
fn open(app: &AppHandle, wanted: Wanted) -> tauri::Result<()> {
    let Some(page) = PAGES.iter().find(|page| page.name == wanted.page) else {
        return Ok(());
    };
    let shown = app.state::<Shown>();
    shown.turn();
    if let Some(screen) = wanted.screen {
        let mut now = shown.now();
        if now.listens {
            app.emit_to(MAIN, "go", screen)?;
        } else {
            now.screen = Some(screen);
        }
    }
    match app.get_webview_window(page.name) {
        Some(window) => raise(&window),
        // It is seen when it has something to show: `ready`, `fit`.
        None => make(app, page).map(|_| ()),
    }
}

fn make(app: &AppHandle, page: &Page) -> tauri::Result<WebviewWindow> {
    let mut builder = WebviewWindowBuilder::new(app, page.name, WebviewUrl::App(page.file.into()))
        .title("Kubefob")
        .min_inner_size(page.least.0, page.least.1)
        .visible(false)
        // A page of ours is the only one; links go out through the resident.
        .on_navigation(|url| url.scheme() == "tauri");
    let kept = (page.name == MAIN).then(|| app.state::<Frames>().last(app, page.least));
    builder = match kept.flatten() {
        Some(Frame {
            width,
            height,
            at: Some((x, y)),
        }) => builder.inner_size(width, height).position(x, y),
        Some(Frame {
            width,
            height,
            at: None,
        }) => builder.inner_size(width, height).center(),
        None => builder.inner_size(page.size.0, page.size.1).center(),
    };
    if let Some(instance) = std::env::var_os("KUBEFOB_HOME") {
        builder = builder.data_directory(PathBuf::from(instance).join("window"));
    }
    app.state::<Shown>().now().unmeasured |= page.name == CONSENT;
    builder.build()
}

fn raise(window: &WebviewWindow) -> tauri::Result<()> {
    window.show()?;
    window.unminimize()?;
    window.set_focus()
}

/// A window is hidden when it is closed, and the process ends a while after the last one was.
fn closed(window: &Window, event: &WindowEvent) {
    let WindowEvent::CloseRequested { api, .. } = event else {
        return;
    };
    let app = window.app_handle();
    if window.label() == MAIN {
        app.state::<Frames>().keep(window);
    }
    if window.hide().is_err() {
        return;
    }
    api.prevent_close();
    if window.label() == CONSENT
        && let Ok(leave) = RawValue::from_string(LEAVE.to_owned())
    {
        // A resident that is gone asks nothing any more.
        drop(app.state::<Arc<Link>>().send(&leave, None));
    }
    hidden(app);
}

fn hidden(app: &AppHandle) {
    let turn = app.state::<Shown>().turn();
    let app = app.clone();
    thread::spawn(move || {
        thread::sleep(linger::time());
        if app.state::<Shown>().now().turns == turn && !is_seen(&app) {
            app.exit(0);
        }
    });
}

fn is_seen(app: &AppHandle) -> bool {
    let windows = app.webview_windows();
    windows
        .values()
        .any(|window| window.is_visible().is_ok_and(|seen| seen))
}

/// A page listens: it hears what there is to show. The main one is seen then, the other when it is as high as that.
#[tauri::command]
fn ready(window: WebviewWindow, shown: State<'_, Shown>) -> tauri::Result<()> {
    let mut now = shown.now();
    if let Some(view) = &now.view {
        window.emit_to(window.label(), "view", view)?;
    }
    if now.gone {
        window.emit_to(window.label(), "gone", Value::Null)?;
    }
    if window.label() == MAIN {
        now.listens = true;
        if let Some(screen) = now.screen.take() {
            window.emit_to(MAIN, "go", screen)?;
        }
    }
    drop(now);
    if window.label() == MAIN {
        raise(&window)?;
    }
    Ok(())
}

/// The page of the questions is so high, in pixels as pages count them: so is its window, as far as the screen goes,
/// which is seen from then on.
#[tauri::command]
fn fit(window: WebviewWindow, shown: State<'_, Shown>, height: f64) -> tauri::Result<()> {
    let questions = PAGES.iter().find(|page| page.name == CONSENT);
    let Some(page) = questions.filter(|page| page.name == window.label() && height.is_finite())
    else {
        return Ok(());
    };
    resize(&window, page, height)?;
    // One that was closed since stays so.
    if std::mem::take(&mut shown.now().unmeasured) {
        raise(&window)?;
    }
    Ok(())
}

fn resize(window: &WebviewWindow, page: &Page, height: f64) -> tauri::Result<()> {
    /// What a panel and a title bar may take.
    const FRAME: f64 = 96.0;
    let scale = window.scale_factor()?;
    let width = window.inner_size()?.to_logical::<f64>(scale).width;
    let width = width.max(page.least.0);
    let Some(screen) = window.current_monitor()? else {
        return window.set_size(LogicalSize::new(width, height.max(page.least.1)));
    };
    let room = screen.size().to_logical::<f64>(scale);
    let height = height.min(room.height - FRAME).max(page.least.1);
    window.set_size(LogicalSize::new(width, height))?;
    // `center` would go by the size that it still has.
    let corner = screen.position().to_logical::<f64>(scale);
    window.set_position(LogicalPosition::new(
        corner.x + (room.width - width) / 2.0,
        corner.y + (room.height - height) / 2.0,
    ))
}

/// Sends a command, and says what became of it.
#[tauri::command]
async fn send(link: State<'_, Arc<Link>>, command: Value) -> Result<Box<RawValue>, &'static str> {
    const GONE: &str = "gone";
    let command = to_raw_value(&command).map_err(|_| GONE)?;
    let (telling, mut told) = channel(1);
    link.send(&command, Some(telling)).map_err(|_| GONE)?;
    told.recv().await.ok_or(GONE)
}
