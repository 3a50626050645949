//! What is shown: the pages, as they are opened, told of what is there, and closed.

use std::collections::BTreeMap;
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

use crate::bounds::{Bounds, KeptBounds};
use crate::linger;
use crate::link::{Heard, Link, Wanted};
use crate::pages::{Call, Page, Shape};

/// What a page that comes is told.
#[derive(Default)]
struct Shown(Mutex<Now>);

#[derive(Default)]
struct Now {
    view: Option<Box<RawValue>>,
    gone: bool,
    /// Of each page that was wanted, by its name.
    pages: BTreeMap<&'static str, Standing>,
    /// How often something was shown or hidden.
    turns: u64,
}

/// How far a page has come.
#[derive(Default)]
struct Standing {
    listens: bool,
    /// The screen that it goes to as soon as it does.
    screen: Option<String>,
    /// Whether its window waits for its height to be seen.
    unmeasured: bool,
}

impl Now {
    fn standing(&mut self, page: &Page) -> &mut Standing {
        self.pages.entry(page.name).or_default()
    }
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
        .manage(KeptBounds::in_folder(places.machine_folder().ok()))
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
    let Some(page) = Page::named(&wanted.page) else {
        return Ok(());
    };
    let shown = app.state::<Shown>();
    shown.turn();
    if let Some(screen) = wanted.screen {
        let mut now = shown.now();
        let standing = now.standing(page);
        if standing.listens {
            app.emit_to(page.name, "go", screen)?;
        } else {
            standing.screen = Some(screen);
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
    let kept = match page.shape {
        Shape::AsLeft { file } => app.state::<KeptBounds>().last(app, file, page.least),
        Shape::AsContent => None,
    };
    builder = match kept {
        Some(Bounds {
            width,
            height,
            at: Some((x, y)),
        }) => builder.inner_size(width, height).position(x, y),
        Some(Bounds {
            width,
            height,
            at: None,
        }) => builder.inner_size(width, height).center(),
        None => builder.inner_size(page.size.0, page.size.1).center(),
    };
    if let Some(instance) = std::env::var_os("KUBEFOB_HOME") {
        builder = builder.data_directory(PathBuf::from(instance).join("window"));
    }
    app.state::<Shown>().now().standing(page).unmeasured = page.shape == Shape::AsContent;
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
    let page = Page::named(window.label());
    if let Some(Shape::AsLeft { file }) = page.map(|page| page.shape) {
        app.state::<KeptBounds>().keep(window, file);
    }
    if window.hide().is_err() {
        return;
    }
    api.prevent_close();
    if let Some(leaves) = page.and_then(|page| page.leaves)
        && let Ok(leave) = RawValue::from_string(leaves.to_owned())
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

/// A page listens: it hears what there is to show. It is seen then, or when it is as high as that.
#[tauri::command]
fn ready(window: WebviewWindow, shown: State<'_, Shown>) -> tauri::Result<()> {
    let Some(page) = Page::calling(&window, Call::Ready) else {
        return Ok(());
    };
    let mut now = shown.now();
    if let Some(view) = &now.view {
        window.emit_to(page.name, "view", view)?;
    }
    if now.gone {
        window.emit_to(page.name, "gone", Value::Null)?;
    }
    let standing = now.standing(page);
    standing.listens = true;
    if let Some(screen) = standing.screen.take() {
        window.emit_to(page.name, "go", screen)?;
    }
    drop(now);
    match page.shape {
        Shape::AsLeft { .. } => raise(&window),
        Shape::AsContent => Ok(()),
    }
}

/// A page is so high, in pixels as pages count them: so is its window, as far as the screen goes, which is seen from
/// then on.
#[tauri::command]
fn fit(window: WebviewWindow, shown: State<'_, Shown>, height: f64) -> tauri::Result<()> {
    let Some(page) = Page::calling(&window, Call::Fit).filter(|_| height.is_finite()) else {
        return Ok(());
    };
    resize(&window, page, height)?;
    // One that was closed since stays so.
    if std::mem::take(&mut shown.now().standing(page).unmeasured) {
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
async fn send(
    window: WebviewWindow,
    link: State<'_, Arc<Link>>,
    command: Value,
) -> Result<Box<RawValue>, &'static str> {
    const GONE: &str = "gone";
    if Page::calling(&window, Call::Send).is_none() {
        return Err("not for this page");
    }
    let command = to_raw_value(&command).map_err(|_| GONE)?;
    let (telling, mut told) = channel(1);
    link.send(&command, Some(telling)).map_err(|_| GONE)?;
    told.recv().await.ok_or(GONE)
}
