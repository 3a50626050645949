//! Draws the tray's pictures from `icons/tray/*.svg`: for each its name and, for each size, how much ink is where.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

const PICTURES: [&str; 5] = [
    "signed-out",
    "signed-in",
    "renewing",
    "needs-you",
    "cannot-reach",
];
/// What panels ask for, at 100 % and 200 %.
const LINUX: &[u32] = &[16, 22, 24, 32, 48];
/// The taskbar's small icon at 100, 125, 150, 200, 250 and 300 %.
const WINDOWS: &[u32] = &[16, 20, 24, 32, 40, 48];
/// The menu bar's 18 points, at 200 %: tray-icon makes a picture of one size.
const MACOS: &[u32] = &[36];

fn main() -> Result<(), Box<dyn Error>> {
    // Not the one that this was compiled in: a target folder may be a copy.
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../../icons/tray");
    println!("cargo::rerun-if-changed={}", folder.display());
    let out = std::env::var("OUT_DIR")?;
    let sizes = match std::env::var("CARGO_CFG_TARGET_OS")?.as_str() {
        "windows" => WINDOWS,
        "macos" => MACOS,
        _ => LINUX,
    };
    let mut code = String::new();
    for name in PICTURES {
        let tree = Tree::from_data(
            &std::fs::read(folder.join(name).with_extension("svg"))?,
            &Options::default(),
        )?;
        let constant = name.to_uppercase().replace('-', "_");
        write!(code, "pub(super) const {constant}: &[(i32, &[u8])] = &[")?;
        for &size in sizes {
            let mut pixmap = Pixmap::new(size, size).ok_or("no room for a picture")?;
            let scale = size as f32 / tree.size().width();
            resvg::render(
                &tree,
                Transform::from_scale(scale, scale),
                &mut pixmap.as_mut(),
            );
            let ink: Vec<u8> = pixmap.pixels().iter().map(|pixel| pixel.alpha()).collect();
            std::fs::write(Path::new(&out).join(format!("{name}-{size}")), ink)?;
            write!(code, "({size}, include_bytes!(\"{name}-{size}\")),")?;
        }
        writeln!(code, "];")?;
    }
    std::fs::write(Path::new(&out).join("pictures.rs"), code)?;
    Ok(())
}
