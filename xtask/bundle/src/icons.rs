//! The app's icon in the sizes of the hicolor theme, drawn from `icons/app.svg`.

use anyhow::{Context, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

const SIZES: [u32; 9] = [16, 22, 24, 32, 48, 64, 128, 256, 512];

/// Each picture, and where it belongs.
pub(crate) fn all() -> Result<Vec<(String, Vec<u8>)>> {
    let drawing = std::fs::read(crate::root().join("icons/app.svg"))?;
    let tree = Tree::from_data(&drawing, &Options::default())?;
    let mut pictures = Vec::new();
    for size in SIZES {
        let mut pixmap = Pixmap::new(size, size).context("no room for a picture")?;
        let scale = size as f32 / tree.size().width();
        resvg::render(
            &tree,
            Transform::from_scale(scale, scale),
            &mut pixmap.as_mut(),
        );
        let path = format!("/usr/share/icons/hicolor/{size}x{size}/apps/kubefob.png");
        pictures.push((path, pixmap.encode_png()?));
    }
    let path = "/usr/share/icons/hicolor/scalable/apps/kubefob.svg".to_owned();
    pictures.push((path, drawing));
    Ok(pictures)
}
