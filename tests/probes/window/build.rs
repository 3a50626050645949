//! Tauri wants an icon: one pixel.

use std::error::Error;
use std::path::Path;

use resvg::tiny_skia::Pixmap;

fn main() -> Result<(), Box<dyn Error>> {
    let icon = Path::new(&std::env::var("OUT_DIR")?).join("icon.png");
    Pixmap::new(1, 1).ok_or("no room")?.save_png(&icon)?;
    println!(
        "cargo::rustc-env=TAURI_CONFIG={{\"bundle\":{{\"icon\":[{:?}]}}}}",
        icon.display().to_string()
    );
    tauri_build::build();
    Ok(())
}
