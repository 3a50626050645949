//! Where a window stood when it was closed, and how large it was: it comes back so, if that screen is still there.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, PhysicalPosition, Runtime, Window};

/// What nobody's screen is larger than.
const LARGEST: f64 = 16_384.0;
/// How much of a window must be on a screen for a person to get hold of it.
const IN_SIGHT: f64 = 64.0;

/// Our own is far shorter than that.
const LONGEST: u64 = 4_096;

/// Those that were kept: the folder of their files.
pub(crate) struct KeptBounds(Option<PathBuf>);

/// Where a window stands and how large it is, in pixels as pages count them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bounds {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Its upper left corner; none where the desktop does not say (Wayland).
    pub(crate) at: Option<(f64, f64)>,
}

impl KeptBounds {
    /// In this machine's folder: another has another screen.
    pub(crate) fn in_folder(folder: Option<PathBuf>) -> Self {
        Self(folder)
    }

    /// The one that was kept last, at least so large, on a screen that is there.
    pub(crate) fn last<R: Runtime>(
        &self,
        app: &AppHandle<R>,
        file: &str,
        least: (f64, f64),
    ) -> Option<Bounds> {
        let bounds = read(&self.0.as_ref()?.join(file), least)?;
        let on_screen = |(x, y): (f64, f64)| {
            let screens = app.available_monitors().unwrap_or_default();
            screens.iter().any(|screen| {
                let scale = screen.scale_factor();
                let corner = screen.position().to_logical::<f64>(scale);
                let size = screen.size().to_logical::<f64>(scale);
                x + bounds.width >= corner.x + IN_SIGHT
                    && x <= corner.x + size.width - IN_SIGHT
                    && y >= corner.y
                    && y <= corner.y + size.height - IN_SIGHT
            })
        };
        Some(Bounds {
            at: bounds.at.filter(|at| on_screen(*at)),
            ..bounds
        })
    }

    /// Keeps a window's. One that fills the screen has none worth keeping.
    pub(crate) fn keep<R: Runtime>(&self, window: &Window<R>, file: &str) {
        let Some(folder) = &self.0 else { return };
        if window.is_maximized().unwrap_or(false) || window.is_fullscreen().unwrap_or(false) {
            return;
        }
        let (Ok(scale), Ok(size)) = (window.scale_factor(), window.inner_size()) else {
            return;
        };
        let size = size.to_logical::<f64>(scale);
        let at = window.outer_position().ok().filter(|_| tells_positions());
        let at = at.map(|at: PhysicalPosition<i32>| at.to_logical::<f64>(scale));
        let bounds = Bounds {
            width: size.width,
            height: size.height,
            at: at.map(|at| (at.x, at.y)),
        };
        // It is a convenience: what can't be kept is not missed.
        drop(write(&folder.join(file), bounds));
    }
}

/// Wayland tells no window where it is.
fn tells_positions() -> bool {
    std::env::var_os("WAYLAND_DISPLAY").is_none()
        || std::env::var_os("GDK_BACKEND").is_some_and(|backend| backend == "x11")
}

fn read(file: &Path, least: (f64, f64)) -> Option<Bounds> {
    // Whatever stands there instead is not waited for.
    fs::metadata(file)
        .ok()
        .filter(|found| found.is_file() && found.len() <= LONGEST)?;
    let bounds: Bounds = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    let Bounds { width, height, at } = bounds;
    let whole = at.is_none_or(|(x, y)| x.is_finite() && y.is_finite());
    let fits = (least.0..=LARGEST).contains(&width) && (least.1..=LARGEST).contains(&height);
    (fits && whole).then_some(bounds)
}

fn write(file: &Path, bounds: Bounds) -> std::io::Result<()> {
    let text = serde_json::to_vec(&bounds)?;
    let new = file.with_extension("json.new");
    drop(fs::remove_file(&new));
    let mut made = File::options().write(true).create_new(true).open(&new)?;
    made.write_all(&text)?;
    fs::rename(new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_come_back_and_nonsense_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("window.json");
        let least = (560.0, 420.0);
        assert_eq!(read(&file, least), None);
        let bounds = Bounds {
            width: 900.0,
            height: 600.5,
            at: Some((-10.0, 40.0)),
        };
        write(&file, bounds).unwrap();
        assert_eq!(read(&file, least), Some(bounds));
        for text in [
            "",
            r#"{"width":1,"height":600,"at":null}"#,
            r#"{"width":1e9,"height":600,"at":null}"#,
            r#"{"width":900,"height":600,"at":[0]}"#,
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(read(&file, least), None, "{text}");
        }
    }
}
