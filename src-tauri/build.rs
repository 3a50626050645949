//! Which commands a page may call, and the window's icon, drawn from `icons/app.svg`.

use std::error::Error;
use std::path::Path;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use tauri_build::{AppManifest, Attributes};

const SIZE: u32 = 128;

fn main() -> Result<(), Box<dyn Error>> {
    let drawing = Path::new(env!("CARGO_MANIFEST_DIR")).join("../icons/app.svg");
    println!("cargo::rerun-if-changed={}", drawing.display());
    let tree = Tree::from_data(&std::fs::read(drawing)?, &Options::default())?;
    let mut pixmap = Pixmap::new(SIZE, SIZE).ok_or("no room for a picture")?;
    let scale = SIZE as f32 / tree.size().width();
    let scale = Transform::from_scale(scale, scale);
    resvg::render(&tree, scale, &mut pixmap.as_mut());
    let icon = Path::new(&std::env::var("OUT_DIR")?).join("icon.png");
    pixmap.save_png(&icon)?;
    // Tauri's macro lays this over `tauri.conf.json`.
    println!(
        "cargo::rustc-env=TAURI_CONFIG={{\"bundle\":{{\"icon\":[{:?}]}}}}",
        icon.display().to_string()
    );
    // Each command becomes a permission, and no page has one that `capabilities/` does not give it.
    let manifest = AppManifest::new().commands(&["ready", "fit", "send"]);
    Ok(tauri_build::try_build(
        Attributes::new().app_manifest(manifest),
    )?)
}
